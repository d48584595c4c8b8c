import { Command } from 'commander';
import { ContractHistory } from '../connectors/postgres/contract-history.ts';
import type { CommittedReader } from '../pipeline/committed-reader.ts';
import type { AppliedHistory } from '../pipeline/contract-rule.ts';
import type { Config } from '../schemas/config.ts';
import { type Dataset, sinkDataset } from '../schemas/dataset.ts';
import { cleanTopic } from '../schemas/names.ts';
import { Registry } from '../schemas/registry.ts';
import type { SinkName } from '../schemas/sink-name.ts';
import { CleanWrites } from './clean-writes.ts';
import { withReader } from './dlq/open-mail.ts';
import { namedSink, namedTable } from './named-part.ts';
import { ProgressBar } from './progress-bar.ts';
import { openProject } from './project.ts';
import { requireApplied } from './rebuild/complete-topic.ts';
import { type ReplayCounts, TopicReplay } from './rebuild/topic-replay.ts';
import {
  type FirstRecord,
  isBehind,
  laterStarts,
  parseReplayPoint,
  type ReplayPoint,
  startsOf,
} from './replay/replay-point.ts';
import { createSink } from './sinks.ts';
import { renderTable } from './table.ts';
import { untilStopped } from './until-stopped.ts';

interface Flags {
  readonly config: string;
  readonly from: string;
  readonly sink?: string;
  readonly json?: true;
}

interface Replayed extends ReplayCounts {
  readonly sink: SinkName;
}

/** `lethe replay`: records of a clean topic are written to the stores again; exit 1 if a store rejects one. */
export function replayCommand(): Command {
  const command = new Command('replay')
    .description(
      'write records of a clean topic to the stores again: what is missing or older there comes back',
    )
    .argument('<table>', 'without a schema it is one of public')
    .requiredOption(
      '--from <point>',
      'an offset, a time with its zone (2026-11-26T10:00:00Z) or an LSN (16/B374D848)',
    )
    .option('--sink <sink>', 'only this store')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON');
  return command.action(async (tableName: string, flags: Flags) => {
    const point = parseReplayPoint(flags.from);
    if (!point) {
      const forms = 'an offset, a time such as 2026-11-26T10:00:00Z, or an LSN such as 16/B374D848';
      return command.error(`error: --from takes ${forms}`, { exitCode: 2 });
    }
    const { config, datasets } = await openProject(flags.config);
    const dataset = namedTable(datasets, tableName);
    const sinks = flags.sink === undefined ? dataset.contract.sinks : [namedSink(dataset, flags.sink)];
    await requireApplied(config, dataset);
    const { replayed, later } = await replayAll(config, dataset, sinks, point);
    if (replayed.some(({ rejected }) => rejected > 0)) process.exitCode = 1;
    const { table } = dataset;
    if (flags.json) process.stdout.write(`${JSON.stringify({ table, from: flags.from, replayed, later })}\n`);
    else process.stdout.write(`${render(replayed)}${later.length === 0 ? '' : whatLies(dataset, later)}`);
  });
}

async function replayAll(
  config: Config,
  dataset: Dataset,
  sinks: readonly SinkName[],
  point: ReplayPoint,
): Promise<{ replayed: Replayed[]; later: FirstRecord[] }> {
  const history = new ContractHistory(config);
  const bar = new ProgressBar();
  try {
    return await withReader(config, (reader) =>
      untilStopped(async (signal) => {
        const replayed: Replayed[] = [];
        for (const sink of sinks) {
          bar.stage(`writing ${dataset.table} to ${sink}`);
          const counts = await replayTo({ config, dataset, sink, point, reader, history, signal, bar });
          replayed.push({ sink, ...counts });
        }
        return { replayed, later: await laterStarts(point, reader, cleanTopic(config, dataset.table)) };
      }),
    );
  } finally {
    bar.end();
    await history.close();
  }
}

interface ReplayParts {
  readonly config: Config;
  readonly dataset: Dataset;
  readonly sink: SinkName;
  readonly point: ReplayPoint;
  readonly reader: CommittedReader;
  readonly history: AppliedHistory;
  readonly signal: AbortSignal;
  readonly bar: ProgressBar;
}

async function replayTo(parts: ReplayParts): Promise<ReplayCounts> {
  const { config, dataset, point, reader, history, signal, bar } = parts;
  const topic = cleanTopic(config, dataset.table);
  const registry = new Registry(config.registry);
  const sink = createSink(config, parts.sink);
  try {
    const writes = new CleanWrites({
      decoder: (id) => registry.decoder(id),
      dataset: sinkDataset(dataset, parts.sink),
      sink,
      history,
    });
    const replay = new TopicReplay(
      {
        reader,
        topic,
        wants: (change) => isBehind(point, change),
        onProgress: (done, total) => bar.progress(done, total),
        signal,
      },
      await startsOf(point, reader, topic),
    );
    await replay.settle(writes);
    return replay.counts;
  } finally {
    await sink.close();
  }
}

function render(replayed: readonly Replayed[]): string {
  return renderTable(
    ['sink', 'read', 'written', 'stale', 'rejected'],
    replayed.map(({ sink, ...counts }) => [
      sink,
      ...[counts.read, counts.written, counts.stale].map(String),
      { text: String(counts.rejected), ...(counts.rejected > 0 ? { style: 'red' as const } : {}) },
    ]),
  );
}

/** The point lies before the first record of these partitions. */
function whatLies({ table, contract }: Dataset, later: readonly FirstRecord[]): string {
  const rows = later.map(({ partition, offset, time, lsn }) => [
    String(partition),
    offset,
    time,
    lsn ?? 'not known',
  ]);
  const first = renderTable(['partition', 'first offset', 'written', 'LSN'], rows);
  return (
    `\nThe clean topic of ${table} begins after this point, and has of what it compacted the last state of each row only:\n${first}` +
    `What lies earlier is a new snapshot: \`lethe rebuild ${contract.sinks[0]} ${table} --snapshot\` has every row read again.\n`
  );
}
