import { renderTable } from '../cli/table.ts';
import { type ErasureStep, erasureSteps } from '../erasure/step.ts';
import type { ErasureTimes } from './erase-persons.ts';
import { recordsOfAPerson } from './erasure-tables.ts';
import { median } from './statistics.ts';
import type { SuppressionCost } from './suppression.ts';

/** What was there when a person was erased. */
export interface ErasureSetting {
  /** Persons with rows at the source and records in the index, ten each. */
  readonly subjects: number;
  /** Those of them whose records are in the topics, the key store and both stores too. */
  readonly through: number;
  /** Offsets of each clean topic, by table. */
  readonly topics: Readonly<Record<string, number>>;
}

/** One person's erasure; seconds, medians of the rounds. */
export interface ErasureCase extends ErasureSetting {
  /** From the request to all deletions acknowledged by the stores. */
  readonly seconds: number;
  /** And to what was deleted being off their disks: the end of stores-cleared. */
  readonly offDisks: number;
  readonly steps: Readonly<Record<ErasureStep, number>>;
  readonly verification: { readonly megabytes: number; readonly megabytesPerSecond: number };
  /** `seconds`, and `offDisks`, of each round. */
  readonly rounds: readonly (readonly [seconds: number, offDisks: number])[];
}

/** Requests that were carried out together. */
export interface BatchCost {
  /** Requests a second, with all steps but the verification. */
  readonly batchPerSecond: number;
  readonly batch: {
    readonly requests: number;
    readonly subjects: number;
    /** Requests a second, to what was deleted being off the stores' disks, and with the verification. */
    readonly deletedPerSecond: number;
    readonly verifiedPerSecond: number;
    /** Of all of them together. */
    readonly steps: Readonly<Record<ErasureStep, number>>;
  };
}

/** What `bench erasure --json` prints. */
export interface ErasureReport extends BatchCost {
  readonly cases: readonly ErasureCase[];
  readonly suppressionNs: SuppressionCost;
  readonly load: { readonly before: number; readonly after: number; readonly cpus: number };
}

export function caseOf(setting: ErasureSetting, rounds: readonly ErasureTimes[]): ErasureCase {
  const over = (value: (times: ErasureTimes) => number) => rounded(median(rounds.map(value)), 2);
  const ofStep = (step: ErasureStep) => over(({ steps }) => steps[step]);
  return {
    ...setting,
    seconds: over(({ acknowledged }) => acknowledged),
    offDisks: over(({ deleted }) => deleted),
    steps: Object.fromEntries(erasureSteps.map((step) => [step, ofStep(step)])) as Record<
      ErasureStep,
      number
    >,
    verification: {
      megabytes: over(({ bytesVerified }) => bytesVerified / 1e6),
      megabytesPerSecond: over(({ bytesVerified, steps }) => bytesVerified / 1e6 / steps.verified),
    },
    rounds: rounds.map(({ acknowledged, deleted }) => [rounded(acknowledged, 2), rounded(deleted, 2)]),
  };
}

export function batchCost({ persons, deleted, total, steps }: ErasureTimes, subjects: number): BatchCost {
  return {
    batchPerSecond: rounded(persons / (total - steps.verified), 2),
    batch: {
      requests: persons,
      subjects,
      deletedPerSecond: rounded(persons / deleted, 2),
      verifiedPerSecond: rounded(persons / total, 2),
      steps,
    },
  };
}

export function reportText({ cases, batchPerSecond, batch, suppressionNs, load }: ErasureReport): string {
  const columns = cases.map(({ subjects }) => `of ${subjects}`);
  const rows = [
    ['all deletions acknowledged, s', ...cases.map(({ seconds }) => String(seconds))],
    ['off the stores’ disks, s', ...cases.map(({ offDisks }) => String(offDisks))],
    ...erasureSteps.map((step) => [`${step}, s`, ...cases.map(({ steps }) => String(steps[step]))]),
    ['verified, MB/s', ...cases.map(({ verification }) => String(verification.megabytesPerSecond))],
    ['persons in topics and stores', ...cases.map(({ through }) => String(through))],
  ];
  return [
    renderTable([`one person, ${recordsOfAPerson} records`, ...columns], rows),
    `${batch.requests} requests together, of ${batch.subjects} persons: ${batchPerSecond} a second without the verification, ` +
      `${batch.verifiedPerSecond} with it, ${batch.deletedPerSecond} to what was deleted being off the stores’ disks\n`,
    suppressionText(suppressionNs),
    `load average ${load.before} before and ${load.after} after, on ${load.cpus} processors\n`,
  ].join('');
}

/** What suppression costs, as people read it. */
export function suppressionText({ areSuppressed, dataKeys, heapMb, suppressed }: SuppressionCost): string {
  return [
    `with ${suppressed} suppressed, ns an event: areSuppressed ${areSuppressed.cold} cold, ${areSuppressed.cached} cached, ` +
      `${areSuppressed.hit} of a suppressed person; dataKeys ${dataKeys.cold} cold, ${dataKeys.cached} cached\n`,
    `heap ${heapMb.empty} MB empty, ${heapMb.full} MB with the cache full, ${heapMb.afterTwice} MB after as many persons again\n`,
  ].join('');
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
