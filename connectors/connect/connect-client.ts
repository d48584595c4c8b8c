import type { HttpEndpoint } from '../../schemas/config.ts';
import { HttpService } from '../../pipeline/http-service.ts';

export interface TaskState {
  readonly state: string;
  /** The Java trace of a failed task. It may quote values: see failure-reason.ts before showing any of it. */
  readonly trace?: string;
}

export interface ConnectorStatus {
  readonly connector: TaskState;
  readonly tasks: readonly TaskState[];
}

/** `none`: it has read nothing yet, or does not exist. `snapshot`: it reads the tables' rows. `streaming`: it reads changes. */
export type CapturePhase = 'none' | 'snapshot' | 'streaming';

/** What Debezium's PostgresOffsetContext writes; the names of the snapshot are there only while there is one. */
interface DebeziumOffset {
  readonly snapshot?: unknown;
  /** Of the newest change read; a JavaScript number, exact up to 8 PB of WAL. */
  readonly lsn?: number;
  readonly last_snapshot_record?: boolean;
  readonly snapshot_completed?: boolean;
  /** The tables that an incremental snapshot has not finished. */
  readonly incremental_snapshot_collections?: unknown;
}

/** A cluster's answer while it shares out its work anew. */
const rebalancing = 409;
const rebalanceLimitMs = 60_000;
const rebalancePauseMs = 200;

/** Kafka Connect by its REST API. */
export class ConnectClient {
  readonly #http: HttpService;

  constructor(endpoint: HttpEndpoint) {
    this.#http = new HttpService('Kafka Connect', endpoint);
  }

  /** The configuration as it stands, or undefined if there is no such connector. */
  async config(name: string): Promise<Readonly<Record<string, string>> | undefined> {
    const answer = await this.#http.request('GET', `${path(name)}/config`);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.#http.failed(answer, `GET ${path(name)}/config`);
    return answer.body as Record<string, string>;
  }

  /** Undefined while there is no status, right after it was created for example. */
  async status(name: string): Promise<ConnectorStatus | undefined> {
    const answer = await this.#http.request('GET', `${path(name)}/status`);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.#http.failed(answer, `GET ${path(name)}/status`);
    return answer.body as ConnectorStatus;
  }

  /** How far the connector has come, by the position that it has committed. */
  async phase(name: string): Promise<CapturePhase> {
    const offset = await this.#offset(name);
    if (!offset) return 'none';
    const { snapshot, last_snapshot_record: last, snapshot_completed: completed } = offset;
    return snapshot === undefined || last === true || completed === true ? 'streaming' : 'snapshot';
  }

  /** The newest LSN that the connector has read; undefined where it has read nothing. */
  async position(name: string): Promise<bigint | undefined> {
    const lsn = (await this.#offset(name))?.lsn;
    return lsn === undefined ? undefined : BigInt(lsn);
  }

  /** Whether rows of the table are being read again beside the changes. */
  async isRereading(name: string, table: string): Promise<boolean> {
    const offset = await this.#offset(name);
    return JSON.stringify(offset?.incremental_snapshot_collections ?? '').includes(table);
  }

  /** Creates or updates. False: the worker calls the configuration invalid. */
  async putConfig(name: string, config: Readonly<Record<string, string>>): Promise<boolean> {
    const answer = await this.#settled('PUT', `${path(name)}/config`, config);
    if (answer.status === 400) return false;
    if (answer.status >= 300) throw this.#http.failed(answer, `PUT ${path(name)}/config`);
    return true;
  }

  /** Names of the settings that the worker calls invalid. */
  async invalidSettings(config: Readonly<Record<string, string>>): Promise<string[]> {
    const plugin = encodeURIComponent(config['connector.class'] ?? '');
    const body = (await this.#http.expect('PUT', `/connector-plugins/${plugin}/config/validate`, config)) as {
      configs?: { value?: { name?: string; errors?: string[] } }[];
    };
    return (body.configs ?? []).flatMap(({ value }) =>
      value?.name !== undefined && (value.errors ?? []).length > 0 ? [value.name] : [],
    );
  }

  /** Class names of what is installed: connectors, converters and transformations. */
  async plugins(): Promise<ReadonlySet<string>> {
    const list = (await this.#http.expect('GET', '/connector-plugins?connectorsOnly=false')) as {
      class: string;
    }[];
    return new Set(list.map((plugin) => plugin.class));
  }

  /** Ends the tasks and keeps configuration and position. */
  async stop(name: string): Promise<void> {
    await this.#settled('PUT', `${path(name)}/stop`);
  }

  /** Starts the tasks of a stopped connector. */
  async resume(name: string): Promise<void> {
    await this.#settled('PUT', `${path(name)}/resume`);
  }

  /** Starts again what has failed of it and nothing else; does nothing while the cluster shares out its work anew. */
  async restartFailed(name: string): Promise<void> {
    const target = `${path(name)}/restart?includeTasks=true&onlyFailed=true`;
    const answer = await this.#http.request('POST', target);
    if (answer.status >= 300 && answer.status !== rebalancing && answer.status !== 404)
      throw this.#http.failed(answer, `POST ${path(name)}/restart`);
  }

  /** Forgets the position of a stopped connector. False: its tasks have not ended yet. */
  async deleteOffsets(name: string): Promise<boolean> {
    const answer = await this.#http.request('DELETE', `${path(name)}/offsets`);
    return answer.status < 300 || answer.status === 404;
  }

  /** Also fine if there is none. */
  async deleteConnector(name: string): Promise<void> {
    const answer = await this.#settled('DELETE', path(name));
    if (answer.status >= 300 && answer.status !== 404)
      throw this.#http.failed(answer, `DELETE ${path(name)}`);
  }

  async #offset(name: string): Promise<DebeziumOffset | undefined> {
    const answer = await this.#http.request('GET', `${path(name)}/offsets`);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.#http.failed(answer, `GET ${path(name)}/offsets`);
    const { offsets = [] } = (answer.body ?? {}) as { offsets?: { offset: DebeziumOffset }[] };
    return offsets[0]?.offset;
  }

  async #settled(method: string, target: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const deadline = Date.now() + rebalanceLimitMs;
    for (;;) {
      const answer = await this.#http.request(method, target, body);
      if (answer.status !== rebalancing || Date.now() > deadline) return answer;
      await new Promise((resolve) => setTimeout(resolve, rebalancePauseMs));
    }
  }
}

function path(name: string): string {
  return `/connectors/${encodeURIComponent(name)}`;
}
