import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { connectorName } from '../../schemas/names.ts';
import { refuse, type Step, steppedResource } from '../../pipeline/planned-steps.ts';
import type { Resource } from '../../pipeline/resource.ts';
import {
  debeziumConfig,
  epochSetting,
  scrubClass,
  sourceSetting,
  transformsConfig,
} from '../debezium-config.ts';
import { decideEpoch, type SourceEpoch } from '../source-epoch.ts';
import { lastEpoch } from '../../schemas/version.ts';
import type { ConnectClient } from './connect-client.ts';
import { failedReason } from './failure-reason.ts';

const statusLimitMs = 120_000;
const pollMs = 200;

/** What the connector's epoch follows from. */
export interface EpochFacts {
  /** Identity of the source as it is now; undefined on a standby. */
  readonly source: string | undefined;
  /** The newest epoch that the transforms have seen. */
  newestEpoch(): Promise<number>;
}

/** The Debezium connector, as derived; the last resource, since all it writes to must exist. */
export function connectorResources(
  config: Config,
  datasets: readonly Dataset[],
  connect: ConnectClient,
  facts: EpochFacts,
): Resource[] {
  const name = connectorName(config);
  const wanted = { name, ...debeziumConfig(config, datasets) };
  return [steppedResource(`connector ${name}`, 'connect', () => inspect(name, wanted, connect, facts))];
}

type Settings = Readonly<Record<string, string>>;

async function inspect(
  name: string,
  derived: Settings,
  connect: ConnectClient,
  facts: EpochFacts,
): Promise<Step[]> {
  const plugins = await connect.plugins();
  const missing = [derived['connector.class'], derived['value.converter'], scrubClass].filter(
    (plugin) => plugin !== undefined && !plugins.has(plugin),
  );
  if (missing.length > 0) {
    return [
      refuse(
        `Kafka Connect lacks ${missing.join(', ')}`,
        'Put the plugin into its plugin.path and restart the workers.',
      ),
    ];
  }
  const current = await connect.config(name);
  const own = decideEpoch(facts.source ?? '', current && noteOf(current), await facts.newestEpoch());
  if (own.epoch > lastEpoch) {
    return [
      refuse(
        `this would be source number ${own.epoch}, and the versions in Elasticsearch keep ${lastEpoch} apart`,
        'Set the pipeline up anew with another name and topics.prefix.',
      ),
    ];
  }
  const wanted: Settings = { ...derived, ...transformsConfig(own) };
  if (!current) {
    const again =
      own.epoch > 1 ? ` (epoch ${own.epoch}: what is gone since, \`lethe reconcile --repair\` removes)` : '';
    return [
      {
        change: { action: 'create', summary: `connector ${name}${again}` },
        run: async () => {
          await put(name, wanted, connect);
          await awaitRunning(name, connect);
        },
      },
    ];
  }
  const different = differences(wanted, current);
  if (different.length > 0) {
    return [
      {
        // Names only: among the values are passwords.
        change: { action: 'update', summary: `connector ${name}: ${different.join(', ')}` },
        run: () => restartWith(name, wanted, connect),
      },
    ];
  }
  const status = await connect.status(name);
  const reason = failedReason(status);
  // Stopped may also be what a killed apply has left; who wants to halt it pauses it.
  const stopped = status?.connector.state === 'STOPPED';
  if (reason === undefined && !stopped) return [];
  const why = stopped ? 'start, it is stopped' : `restart, it failed (${reason})`;
  return [
    {
      change: { action: 'update', summary: `connector ${name}: ${why}` },
      run: () => restartWith(name, undefined, connect),
    },
  ];
}

function noteOf(current: Settings): Partial<SourceEpoch> {
  const [epoch, source] = [current[epochSetting], current[sourceSetting]];
  return { ...(epoch === undefined ? {} : { epoch: Number(epoch) }), ...(source ? { source } : {}) };
}

function differences(wanted: Settings, current: Settings): string[] {
  const names = new Set([...Object.keys(wanted), ...Object.keys(current)]);
  return [...names].filter((name) => wanted[name] !== current[name]).sort();
}

/**
 * Stops the connector first, for its status tells no generation: "running" or "failed" right after a change would
 * be said of the tasks before it. One that somebody paused stays so.
 */
async function restartWith(
  name: string,
  wanted: Settings | undefined,
  connect: ConnectClient,
): Promise<void> {
  const paused = (await connect.status(name))?.connector.state === 'PAUSED';
  if (!paused) {
    await connect.stop(name);
    await awaitStatus(
      name,
      connect,
      (status) => status?.connector.state === 'STOPPED' && status.tasks.length === 0,
    );
  }
  try {
    if (wanted) await put(name, wanted, connect);
  } finally {
    // A configuration that is refused leaves the one before it at work.
    if (!paused) await connect.resume(name);
  }
  if (!paused) await awaitRunning(name, connect);
}

async function put(name: string, wanted: Settings, connect: ConnectClient): Promise<void> {
  if (!(await connect.putConfig(name, wanted))) {
    const settings = await connect.invalidSettings(wanted);
    throw new LetheError(
      'SERVER_FAILED',
      `Kafka Connect refuses the connector's settings ${settings.join(', ')}: it cannot reach or enter Postgres or the registry from where it runs`,
      {
        fix: 'Set connect.postgresHost, connect.postgresPort, connect.registryUrl; see the log of Kafka Connect.',
      },
    );
  }
}

function awaitRunning(name: string, connect: ConnectClient): Promise<void> {
  return awaitStatus(name, connect, (status) => {
    const reason = failedReason(status);
    if (reason !== undefined) {
      throw new LetheError('SERVER_FAILED', `the connector ${name} failed (${reason})`, {
        fix: 'Look at the log of Kafka Connect, then apply again.',
      });
    }
    const parts = [status?.connector, ...(status?.tasks ?? [])];
    return parts.length > 1 && parts.every((part) => part?.state === 'RUNNING');
  });
}

type Status = Awaited<ReturnType<ConnectClient['status']>>;

async function awaitStatus(
  name: string,
  connect: ConnectClient,
  reached: (status: Status) => boolean,
): Promise<void> {
  const deadline = Date.now() + statusLimitMs;
  for (;;) {
    const status = await connect.status(name);
    if (reached(status)) return;
    if (Date.now() > deadline) {
      const state = status?.connector.state ?? 'no state';
      throw new LetheError('SERVER_FAILED', `the connector ${name} neither starts nor stops (${state})`, {
        fix: 'Look at the log of Kafka Connect, then apply again. Its slot waits for every transaction that was open at the source: see pg_stat_activity.xact_start.',
      });
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
