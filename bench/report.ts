import { renderTable } from '../cli/table.ts';
import type { Latency, Percentiles } from './latency.ts';
import type { SinkName } from '../schemas/sink-name.ts';
import { median } from './statistics.ts';
import { type Rates, type Stage, stages } from './throughput.ts';

/** What `bench pipeline --json` prints. */
export interface Report extends Rates {
  /** Rows of one round. */
  readonly rows: number;
  readonly rounds: number;
  readonly ratios: { readonly transformToDebezium: number; readonly transformToPassthrough: number };
  /** Commit to visible. The topics are measured with no sink running, the stores with both. */
  readonly latencyMs: Readonly<Record<'raw' | 'clean' | 'cleanBesideSinks' | SinkName, Percentiles>> & {
    readonly ratePerSecond: number;
    readonly ratePerSecondBesideSinks: number;
  };
  /** Every round's rates, in order: how noisy the medians are. */
  readonly samples: Readonly<Record<Stage, readonly number[]>>;
  /** Processes that wanted a processor, a minute's mean, at the start and at the end, and how many processors there are. */
  readonly load: { readonly before: number; readonly after: number; readonly cpus: number };
}

/** Medians over the rounds. Ratios are taken within a round first, where the machine's load is the most alike. */
export function report(
  rows: number,
  rounds: readonly Rates[],
  latency: { readonly topics: Latency; readonly stores: Latency },
  load: Report['load'],
): Report {
  const { topics, stores } = latency;
  const over = (value: (rates: Rates) => number) => median(rounds.map(value));
  const perStage = <T>(value: (stage: Stage) => T) =>
    Object.fromEntries(stages.map((stage) => [stage, value(stage)])) as Record<Stage, T>;
  const ratio = (value: number) => Math.round(value * 100) / 100;
  return {
    rows,
    rounds: rounds.length,
    ...perStage((stage) => Math.round(over((rates) => rates[stage]))),
    ratios: {
      transformToDebezium: ratio(over((rates) => rates.transform / rates.debezium)),
      transformToPassthrough: ratio(over((rates) => rates.transform / rates.passthrough)),
    },
    latencyMs: {
      raw: topics.raw,
      clean: topics.clean,
      cleanBesideSinks: stores.clean,
      elasticsearch: stores.stores.elasticsearch!,
      clickhouse: stores.stores.clickhouse!,
      ratePerSecond: topics.ratePerSecond,
      ratePerSecondBesideSinks: stores.ratePerSecond,
    },
    samples: perStage((stage) => rounds.map((rates) => Math.round(rates[stage]))),
    load,
  };
}

const titles: Readonly<Record<Stage, string>> = {
  debezium: 'Debezium alone, WAL to topic',
  wal_raw: 'WAL to raw topic',
  passthrough: 'bare transactional passthrough',
  transform: 'raw topic to clean topic',
  two_transforms: 'the same by two processes',
  elasticsearch: 'clean topic to Elasticsearch',
  clickhouse: 'clean topic to ClickHouse',
};

/** The report for people. */
export function reportText(found: Report): string {
  const { ratios, latencyMs, samples, load } = found;
  const rates = stages.map((stage) => [titles[stage], `${found[stage]}`, samples[stage].join(' ')]);
  const alone = `${latencyMs.ratePerSecond} transactions/s, no sink running`;
  const beside = `${latencyMs.ratePerSecondBesideSinks} transactions/s, both sinks running`;
  const place = (name: string, { p50, p99 }: Percentiles, at: string) => [name, `${p50}`, `${p99}`, at];
  return [
    renderTable(['stage', 'rows/s', `median of ${found.rounds} rounds of ${found.rows} rows`], rates),
    `the transform does ${ratios.transformToDebezium} times Debezium's rate, ${ratios.transformToPassthrough} of the passthrough's\n`,
    renderTable(
      ['visible after commit', 'p50 ms', 'p99 ms', 'at'],
      [
        place('raw topic', latencyMs.raw, alone),
        place('clean topic', latencyMs.clean, alone),
        place('clean topic', latencyMs.cleanBesideSinks, beside),
        place('ClickHouse view', latencyMs.clickhouse, beside),
        place('Elasticsearch search', latencyMs.elasticsearch, beside),
      ],
    ),
    `load average ${load.before} before and ${load.after} after, on ${load.cpus} processors\n`,
  ].join('\n');
}
