import { header } from '../schemas/record-headers.ts';
import type { Counters } from './counters.ts';
import { deadLetter, type PayloadSealer } from './dead-letters.ts';
import type { Log } from './log.ts';
import { type LookedUp, LookupJournal } from './lookup-journal.ts';
import type { LookupTables } from './lookup-tables.ts';
import { asRaw, type ParkedRecord, type ParkedRecords } from './parked-records.ts';
import { type Patience, untilItWorks } from './retry.ts';
import type { OutputRecord } from './transactional-producer.ts';
import type { Fate, Outcome, RawRecord, TableTransform } from './transform.ts';
import type { VersionClock } from './version-clock.ts';

/** One raw topic and where its changes go. */
export interface TransformRoute {
  readonly transform: TableTransform;
  readonly rawTopic: string;
  readonly cleanTopic: string;
  readonly deadLetterTopic: string;
  /** Set where the table is looked up by others, or follows paths itself. */
  readonly lookups?: RouteLookups;
}

export interface RouteLookups {
  readonly tables: LookupTables;
  /** Tables that the paths of this one lead over. */
  readonly followed: readonly string[];
  /** Where rows of this table wait, and how long at most, ms; undefined where it has no paths. */
  readonly parking?: { readonly topic: string; readonly deadlineMs: number };
  readonly lookedUp?: LookedUp;
}

export interface RouteOutputParts {
  readonly sealer: PayloadSealer;
  readonly counters: Counters;
  readonly log: Log;
}

/** Few enough to be sent, and forgotten, while the next ones are treated. */
const recordsOfAPart = 500;

/** Below the topics' max.message.bytes, with room for key, headers and framing. */
const largestRecordBytes = 20 * 1024 * 1024 - 64 * 1024;

/**
 * What becomes of one batch of a partition, or of its parked records: the records of one transaction, part by part. If the
 * transaction fails, the parked records that were given are no longer those of the topic.
 */
export class RouteOutput {
  private readonly parts: RouteOutputParts;
  private readonly route: TransformRoute;
  private readonly partition: number;
  private readonly parked: ParkedRecords | undefined;
  private readonly journal: LookupJournal | undefined;
  private readonly counts = new Map<string, number>();

  constructor(
    parts: RouteOutputParts,
    route: TransformRoute,
    partition: number,
    parked: ParkedRecords | undefined,
  ) {
    this.parts = parts;
    this.route = route;
    this.partition = partition;
    this.parked = parked;
    const { tables, lookedUp } = route.lookups ?? {};
    this.journal = tables && lookedUp && new LookupJournal(lookedUp, partition, tables);
  }

  /** What becomes of new records; moves the clock on. */
  async *batch(
    messages: readonly RawRecord[],
    clock: VersionClock,
    patience: Patience,
  ): AsyncGenerator<OutputRecord[]> {
    for (let from = 0; from < messages.length; from += recordsOfAPart) {
      const part = messages.slice(from, from + recordsOfAPart);
      const outcomes = await this.transform(part, clock, patience);
      const output: OutputRecord[] = [];
      for (const [i, outcome] of outcomes.entries()) {
        const record = part[i]!;
        if (outcome.lookup) {
          const lookup = this.journal?.record(outcome.lookup);
          if (lookup) output.push(lookup);
        }
        if (outcome.kind === 'parked') output.push(this.park(record, outcome));
        else {
          // The row as it is now is known: what waits of it has nothing left to say.
          if (outcome.kind === 'clean') output.push(...this.supersede(record.key, outcome.headers));
          output.push(...(await this.finished(record, outcome, patience)));
        }
      }
      if (output.length > 0) yield output;
      await patience.whileWaiting?.();
    }
    const signals = this.journal?.signals() ?? [];
    this.count('reread', signals.length);
    if (signals.length > 0) yield signals;
  }

  /** What becomes of rows whose parked records are due: each leaves in its order, with the version it came with. */
  async *released(
    rows: readonly (readonly ParkedRecord[])[],
    expiredBefore: number,
    clock: VersionClock,
    patience: Patience,
  ): AsyncGenerator<OutputRecord[]> {
    for (const records of partsOf(rows)) {
      const raw = records.map((record) => asRaw(record, expiredBefore));
      const outcomes = await this.transform(raw, clock, patience);
      // The newest version of each row that goes out: an older one that still waits has nothing left to say.
      const newest = new Map<string, string>();
      for (const [i, { key, version }] of records.entries()) {
        const name = key.toString('latin1');
        if (outcomes[i]!.kind === 'clean' && version > (newest.get(name) ?? '')) newest.set(name, version);
      }
      const output: OutputRecord[] = [];
      for (const [i, record] of records.entries()) {
        const outcome = outcomes[i]!;
        const overtaken = record.version < (newest.get(record.key.toString('latin1')) ?? '');
        if (outcome.kind === 'clean') {
          output.push(...(await this.finished(raw[i]!, outcome, patience)));
          this.count(raw[i]!.parked!.expired && outcome.value === null ? 'expired' : 'released');
        } else if (overtaken) this.count('superseded');
        else if (outcome.kind === 'parked') continue;
        else {
          output.push(...(await this.finished(raw[i]!, outcome, patience)));
          this.count(
            outcome.kind === 'failed' && outcome.code === 'SUBJECT_UNRESOLVED' ? 'expired' : 'released',
          );
        }
        output.push(this.parked!.remove(record));
      }
      if (output.length > 0) yield output;
      await patience.whileWaiting?.();
    }
  }

  /** Headers of the tombstones that a change of no row asks for; undefined where nothing is to be done. Moves the clock on. */
  async truncate(
    record: RawRecord,
    clock: VersionClock,
    patience: Patience,
  ): Promise<Readonly<Record<string, string>> | undefined> {
    const [outcome] = await this.transform([record], clock, patience);
    if (outcome!.kind === 'truncated') return outcome!.headers;
    if (outcome!.kind === 'skipped') this.count(outcome!.reason);
    return undefined;
  }

  /** Counts what was done, once it is committed. */
  committed(): void {
    for (const [what, count] of this.counts) this.parts.counters.add(this.route.transform.table, what, count);
  }

  private async transform(
    records: readonly RawRecord[],
    clock: VersionClock,
    patience: Patience,
  ): Promise<Outcome[]> {
    const { transform, lookups } = this.route;
    const tables = lookups ? [transform.table, ...lookups.followed] : [];
    return untilItWorks(
      'servers of the transform',
      async () => {
        await lookups?.tables.cipher.load([...new Set(tables)]);
        // A fresh copy for each attempt: a version is given once.
        const attempt = clock.copy();
        const made = await transform.transform(records, attempt);
        clock.set(attempt);
        return made;
      },
      patience,
    );
  }

  private park({ offset, key, value }: RawRecord, fate: Extract<Fate, { kind: 'parked' }>): OutputRecord {
    this.count('parked');
    const { version, waitsFor } = fate;
    return this.parked!.add({ offset, key: key!, value: value!, version, waitsFor, sinceMs: Date.now() });
  }

  /** A repetition that is older than what waits leaves it alone. */
  private supersede(key: Buffer | null, headers: Readonly<Record<string, string>>): OutputRecord[] {
    const version = headers[header.version]!;
    const waiting = key && this.parked ? this.parked.of(key).filter((own) => own.version < version) : [];
    this.count('superseded', waiting.length);
    return waiting.map((record) => this.parked!.remove(record));
  }

  private async finished(record: RawRecord, made: Fate, patience: Patience): Promise<OutputRecord[]> {
    const outcome = fitting(made);
    if (outcome.kind === 'clean') {
      const { key, value, headers } = outcome;
      this.count(outcome.erased ? 'erased' : 'clean');
      return [{ topic: this.route.cleanTopic, key, value, headers }];
    }
    if (outcome.kind === 'failed') {
      this.count('dead');
      return [await untilItWorks('key store', () => this.deadLetter(record, outcome), patience)];
    }
    if (outcome.kind === 'skipped') this.count(outcome.reason);
    return [];
  }

  private deadLetter(record: RawRecord, outcome: Extract<Fate, { kind: 'failed' }>): Promise<OutputRecord> {
    const { partition, route, parts } = this;
    const { rawTopic: topic, deadLetterTopic, transform } = route;
    const { table } = transform;
    const { offset } = record;
    const { code, reason } = outcome;
    parts.log.warn({ table, topic, partition, offset, code, reason }, 'dead letter');
    const origin = { table, topic, partition, offset, code, stage: 'transform' };
    return deadLetter(origin, record.key, record.value, parts.sealer, deadLetterTopic);
  }

  private count(what: string, n = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + n);
  }
}

/** Rows' records in parts; a row's stay together. */
function* partsOf(rows: readonly (readonly ParkedRecord[])[]): Generator<ParkedRecord[]> {
  let part: ParkedRecord[] = [];
  for (const row of rows) {
    part.push(...row);
    if (part.length < recordsOfAPart) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

/** Kafka would refuse the whole batch, again and again, for one record beyond its limit. */
function fitting(outcome: Fate): Fate {
  if (outcome.kind !== 'clean' || (outcome.value?.length ?? 0) <= largestRecordBytes) return outcome;
  return { kind: 'failed', code: 'RECORD_TOO_LARGE', reason: `more than ${largestRecordBytes} bytes` };
}
