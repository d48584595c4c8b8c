import { renderTable } from '../cli/table.ts';
import type { ContractName } from './engine-events.ts';
import { median } from './statistics.ts';

/**
 * Who is measured beside whom, in events a second of processor time; null where a contract has nothing to do for it.
 * `engine` and `avsc` do the same work: the value. `transform` also makes key, version and headers.
 */
export const contestants = ['engine', 'transform', 'avsc', 'avscDecode', 'cipherOnly'] as const;
export type ContestantName = (typeof contestants)[number];
export type Sample = Readonly<Record<ContestantName, number | null>>;

/** What is measured: a contract on a table of so many columns. */
export interface CaseName {
  readonly columns: number;
  readonly contract: ContractName;
  /** Every event is of another of so many persons, whose keys the store has in memory or sees for the first time. */
  readonly subjects?: number;
  readonly keys?: 'cold' | 'warm';
}

/** A case with its medians over the rounds. Ratios are taken within a round first, where the machine's load is the most alike. */
export interface EngineCase extends CaseName, Sample {
  readonly ratios: {
    readonly engineToAvsc: number;
    readonly engineToAvscDecode: number;
    readonly transformToAvsc: number;
    /** Time of the engine to time of the bare calls: 1 would be an engine that costs nothing. */
    readonly timeToCipherOnly: number | null;
  };
  readonly samples: Readonly<Record<ContestantName, readonly number[] | null>>;
}

/** What `bench engine --json` prints. */
export interface EngineReport {
  readonly rounds: number;
  /** Events that the contestants go through again and again in a round. */
  readonly events: number;
  readonly cases: readonly EngineCase[];
  readonly load: { readonly before: number; readonly after: number; readonly cpus: number };
}

export function engineCase(name: CaseName, rounds: readonly Sample[]): EngineCase {
  const of = <T>(value: (contestant: ContestantName) => T) =>
    Object.fromEntries(contestants.map((c) => [c, value(c)])) as Record<ContestantName, T>;
  const samples = of((c) => (rounds[0]![c] === null ? null : rounds.map((r) => Math.round(r[c]!))));
  const ratio = (value: (sample: Sample) => number) => Math.round(median(rounds.map(value)) * 100) / 100;
  return {
    ...name,
    ...of((c) => (samples[c] ? Math.round(median(samples[c])) : null)),
    ratios: {
      engineToAvsc: ratio((r) => r.engine! / r.avsc!),
      engineToAvscDecode: ratio((r) => r.engine! / r.avscDecode!),
      transformToAvsc: ratio((r) => r.transform! / r.avsc!),
      timeToCipherOnly: samples.cipherOnly ? ratio((r) => r.cipherOnly! / r.engine!) : null,
    },
    samples,
  };
}

/** The report for people. */
export function engineReportText({ rounds, events, cases, load }: EngineReport): string {
  const rows = cases.map(({ columns, contract, subjects, keys, ratios, ...rates }) => [
    `${columns}`,
    keys ? `${contract}, ${subjects} persons, ${keys} keys` : contract,
    ...contestants.map((c) => `${rates[c] ?? '-'}`),
    `${ratios.engineToAvsc}`,
    `${ratios.engineToAvscDecode}`,
    `${ratios.transformToAvsc}`,
    `${ratios.timeToCipherOnly ?? '-'}`,
  ]);
  const heads = ['columns', 'contract', 'engine', 'transform', 'avsc', 'avsc decode', 'cipher calls'];
  return [
    renderTable([...heads, 'to avsc', 'to decode', 'transform to avsc', 'time to calls'], rows),
    `events/s of processor time, medians of ${rounds} rounds over ${events} events; load average ${load.before} before and ${load.after} after, on ${load.cpus} processors\n`,
  ].join('\n');
}
