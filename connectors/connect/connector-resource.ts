import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { connectorName } from '../../schemas/names.ts';
import { refuse, type Step, steppedResource } from '../../pipeline/planned-steps.ts';
import type { Resource } from '../../pipeline/resource.ts';
import { debeziumConfig, scrubClass, scrubConfig } from '../debezium-config.ts';
import type { ConnectClient } from './connect-client.ts';
import { failureReason } from './failure-reason.ts';

const runningLimitMs = 120_000;
const pollMs = 200;

/** The Debezium connector, as derived; the last resource, since all it writes to must exist. */
export function connectorResources(
  config: Config,
  datasets: readonly Dataset[],
  connect: ConnectClient,
): Resource[] {
  const name = connectorName(config);
  const wanted = { name, ...debeziumConfig(config, datasets) };
  return [steppedResource(`connector ${name}`, 'connect', () => inspect(name, wanted, connect))];
}

type Settings = Readonly<Record<string, string>>;

async function inspect(name: string, derived: Settings, connect: ConnectClient): Promise<Step[]> {
  const plugins = await connect.plugins();
  const wanted = plugins.has(scrubClass) ? { ...derived, ...scrubConfig } : derived;
  const missing = [wanted['connector.class'], wanted['value.converter']].filter(
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
  const put = { run: () => putAndAwait(name, wanted, connect) };
  const current = await connect.config(name);
  if (!current) return [{ change: { action: 'create', summary: `connector ${name}` }, ...put }];
  const different = differences(wanted, current);
  if (different.length > 0) {
    // Names only: among the values are passwords.
    return [{ change: { action: 'update', summary: `connector ${name}: ${different.join(', ')}` }, ...put }];
  }
  const reason = failedReason(await connect.status(name));
  if (reason === undefined) return [];
  return [
    {
      change: { action: 'update', summary: `connector ${name}: restart, it failed (${reason})` },
      run: async () => {
        await connect.restartFailed(name);
        await awaitRunning(name, connect);
      },
    },
  ];
}

function differences(wanted: Settings, current: Settings): string[] {
  const names = new Set([...Object.keys(wanted), ...Object.keys(current)]);
  return [...names].filter((name) => wanted[name] !== current[name]).sort();
}

/** At WARN it prints the key of a row that is gone before its unchanged values could be read. */
const reselectLogger = 'io.debezium.processors.reselect';

async function putAndAwait(name: string, wanted: Settings, connect: ConnectClient): Promise<void> {
  await connect.setLogLevel(reselectLogger, 'ERROR');
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
  await awaitRunning(name, connect);
}

/** A paused or stopped connector is somebody's decision and is left so. */
async function awaitRunning(name: string, connect: ConnectClient): Promise<void> {
  const deadline = Date.now() + runningLimitMs;
  for (;;) {
    const status = await connect.status(name);
    const reason = failedReason(status);
    if (reason !== undefined) {
      throw new LetheError('SERVER_FAILED', `the connector ${name} failed (${reason})`, {
        fix: 'Look at the log of Kafka Connect, then apply again.',
      });
    }
    const state = status?.connector.state;
    if (state === 'PAUSED' || state === 'STOPPED') return;
    const tasks = status?.tasks ?? [];
    if (state === 'RUNNING' && tasks.length > 0 && tasks.every((task) => task.state === 'RUNNING')) return;
    if (Date.now() > deadline) {
      throw new LetheError('SERVER_FAILED', `the connector ${name} does not start (${state ?? 'no state'})`, {
        fix: 'Look at the log of Kafka Connect, then apply again.',
      });
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function failedReason(status: Awaited<ReturnType<ConnectClient['status']>>): string | undefined {
  const failed = [status?.connector, ...(status?.tasks ?? [])].find((part) => part?.state === 'FAILED');
  return failed && failureReason(failed.trace);
}
