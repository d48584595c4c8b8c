import type { LookupChange, Lookups } from '../pipeline/lookup.ts';
import type { Fate, Outcome, RawRecord, TableTransform } from '../pipeline/transform.ts';
import type { VersionClock } from '../pipeline/version-clock.ts';
import { isReadAtSource } from '../schemas/dataset.ts';
import { LetheError } from '../schemas/errors.ts';
import { absentHeader, header } from '../schemas/record-headers.ts';
import { parseVersionWords } from '../schemas/version-words.ts';
import { AvroReader, malformed } from './avro-reader.ts';
import { BatchReads } from './batch-reads.ts';
import { ByteWriter } from './byte-writer.ts';
import { ChangeHead } from './change-head.ts';
import { ChangeHeaders } from './change-headers.ts';
import type { RowContext } from './column-action.ts';
import { encodeSourceValue } from './encode-value.ts';
import { erased, failed, parked, truncated, withdrawn } from './fates.ts';
import { type Offsets, OffsetsPool } from './offsets.ts';
import { PlanCache, type PlanSources, type ValuePlan } from './plan-cache.ts';
import { type DataKey, usesSubjectKeys } from './protection.ts';
import { noteSubjects, type SubjectIndex } from './subject-index.ts';
import { epochOf } from './record-epoch.ts';
import type { Resolved } from './row-text.ts';
import { bytesOf, type FoundRow, isNewer, type ValueResolver } from './value-resolver.ts';

/** What a transform is made of; all I/O is passed in. */
export interface TransformParts extends PlanSources {
  /** Id of the clean schema in the registry. */
  readonly cleanSchemaId: number;
  readonly resolver: ValueResolver;
  /** Rows of the tables that paths lead over; needed where there are paths. */
  readonly lookups?: Lookups;
  /** Where it is noted which records are whose; left out where nothing is written. */
  readonly index?: SubjectIndex;
}

/** A row that waits: for its subject's key, or for values to be read back from the source. */
interface Waiting {
  readonly kind: 'waiting';
  readonly record: RawRecord;
  readonly key: string;
  readonly headers: Record<string, string>;
  readonly plan: ValuePlan;
  /** Where its field offsets stand. */
  readonly base: number;
  readonly ordinary: boolean;
  readonly txId: bigint | undefined;
  /** Null for a row that is nobody's. */
  readonly subjectId: string | null;
  /** What becomes of it, if that is settled and only what others look up in it must still be read back. */
  readonly fate: Fate | undefined;
  /** What others look up in it, if the event says it all; else it must be read back. */
  readonly lookup: LookupChange | undefined;
  readonly readsLookup: boolean;
  /** Which of the batch's data keys is its own. */
  keyIndex: number;
}

/** What the batch's rows need of the source. */
type Reads = BatchReads<Waiting, FoundRow | null>;

/** Data keys of a batch's subjects, by the index that its rows know: null for one that was erased, undefined where none is needed. */
type DataKeys = readonly (DataKey | null | undefined)[];

/** Most rows need nothing beside their values, and then no object of their own. */
const nothingOfTheRow: RowContext = { dataKey: undefined, names: [] };

/** Makes the transform of one table: Confluent-framed raw Avro in, Confluent-framed clean Avro out. */
export function createTableTransform(parts: TransformParts): TableTransform {
  const { dataset } = parts;
  const plans = new PlanCache(parts);
  const makeHeaders = new ChangeHeaders(dataset);
  const rooms = new OffsetsPool();
  const isPersonal = usesSubjectKeys(dataset);
  // Nothing passes of a person who was erased, whether or not it would be under a key of theirs.
  const isSomebodys = dataset.subject !== undefined;
  const starts = dataset.contract.erasure?.starts === true;
  const readAtSource = new Set(dataset.columns.filter(isReadAtSource).map(({ name }) => name));
  const isJudged = isSomebodys || dataset.conditions.length > 0 || dataset.consentPath !== undefined;
  const reader = new AvroReader();
  const head = new ChangeHead();
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(parts.cleanSchemaId, 1);

  /** All that can be done at once for a record; nothing it leaves in `head` outlives it. */
  function start(record: RawRecord, clock: VersionClock, room: Offsets, out: ByteWriter): Outcome | Waiting {
    const { key: rawKey, value } = record;
    if (value === null) return absent(record, clock);
    const plan = plans.value(value);
    plan.envelope.read(value, head, room);
    const { op, row: base } = head;
    // A record that waited keeps the version that it was given when it came.
    const version =
      (record.parked && parseVersionWords(record.parked.version)) ??
      clock.advance(
        head.read,
        head.hasCommit ? head.commit : undefined,
        head.hasLsn ? head.lsn : undefined,
        epochOf(record),
      );
    // A TRUNCATE has no key: what has one is no whole record, and must not halt its table.
    if (op === 't' && rawKey !== null) throw malformed();
    if (op === 't') return truncated(dataset.contract, makeHeaders.of(head, version, ''));
    if (op === 'm' || rawKey === null) return { kind: 'skipped', reason: 'no-row' };
    const key = plans.key(rawKey).readClean(reader.reset(rawKey, 5));
    const headers = makeHeaders.of(head, version, key);
    // A record that waited has said what others look up in it when it came.
    const looksUp = dataset.facts.length > 0 && !record.parked;
    if (op === 'd') {
      const lookup = looksUp ? { lookup: lookupOf(rawKey, headers, null) } : undefined;
      const ended = starts
        ? { endedSubject: plans.key(rawKey).readSource(reader.reset(rawKey, 5))[0]! }
        : undefined;
      return { kind: 'clean', key, value: null, headers, ...lookup, ...ended };
    }
    if (base < 0) throw malformed();
    const admitted = isJudged ? admit(record, plan, room.at, base, key, headers) : null;
    const fate = admitted === null || typeof admitted === 'string' ? undefined : admitted;
    const subjectId = typeof admitted === 'string' ? admitted : null;
    const facts = looksUp ? plan.row.facts.read(value, room.at, base) : undefined;
    const lookup = facts && lookupOf(rawKey, headers, facts);
    const readsLookup = looksUp && !lookup;
    if (fate && !readsLookup) return lookup ? { ...fate, lookup } : fate;
    const ordinary = !readsLookup && plan.row.isOrdinary(value, room.at, base);
    if (ordinary && !isSomebodys) {
      const clean = write(plan, value, room.at, base, out, undefined, undefined);
      room.release(base);
      // Most rows are looked up by nobody; a spread would cost each of them more than its headers.
      return lookup
        ? { kind: 'clean', key, value: clean, headers, lookup }
        : { kind: 'clean', key, value: clean, headers };
    }
    const txId = ordinary ? undefined : head.transaction();
    return {
      kind: 'waiting',
      record,
      key,
      headers,
      plan,
      base,
      ordinary,
      txId,
      subjectId,
      fate,
      lookup,
      readsLookup,
      keyIndex: -1,
    };
  }

  /**
   * Of a row that somebody did not find at the source: a delete, of the place in the partition that it has, as a snapshot read
   * would be. All that Debezium writes after it is newer.
   */
  function absent({ key: rawKey, headers: given }: RawRecord, clock: VersionClock): Outcome {
    const lookedMs = given?.[absentHeader];
    if (lookedMs === undefined || rawKey === null) return { kind: 'skipped', reason: 'tombstone' };
    head.absent(Number(lookedMs.toString()));
    const key = plans.key(rawKey).readClean(reader.reset(rawKey, 5));
    const headers = makeHeaders.of(head, clock.advance(true, undefined, undefined), key);
    const lookup = dataset.facts.length > 0 ? { lookup: lookupOf(rawKey, headers, null) } : undefined;
    return { kind: 'clean', key, value: null, headers, ...lookup };
  }

  /** What becomes of a row that does not go out now; or else its subject, null for a row that is nobody's. */
  function admit(
    record: RawRecord,
    plan: ValuePlan,
    offsets: Int32Array,
    base: number,
    key: string,
    headers: Readonly<Record<string, string>>,
  ): Fate | string | null {
    const { filter, consent, subject } = plan.row;
    const value = record.value!;
    const expired = record.parked?.expired === true;
    try {
      // Nobody's key is asked for a row that may not pass.
      if (filter.passes(value, offsets, base) === false) return withdrawn(key, headers);
      if (consent) {
        const end = consent.follow(value, offsets, base, parts.lookups);
        // What is not known does not pass, once there was time to learn it.
        if ('missing' in end) return expired ? withdrawn(key, headers) : parked(headers, end.missing);
        if (!dataset.consentPath!.test(end.text)) return withdrawn(key, headers);
      }
      if (!isSomebodys) return null;
      const end = subject?.follow(value, offsets, base, parts.lookups) ?? { text: null };
      if ('missing' in end) {
        if (!expired) return parked(headers, end.missing);
        throw new LetheError('SUBJECT_UNRESOLVED', `a row of ${end.missing.table} did not come in time`);
      }
      if (end.text !== null || !isPersonal) return end.text;
      throw new LetheError('SUBJECT_MISSING', `a row of ${dataset.table} has no data subject`);
    } catch (error) {
      // What others look up in the row they still may.
      return failed(error);
    }
  }

  function lookupOf(
    rawKey: Buffer,
    headers: Readonly<Record<string, string>>,
    facts: LookupChange['facts'],
  ): LookupChange {
    const [key] = plans.key(rawKey).readSource(reader.reset(rawKey, 5));
    return { key: key!, facts, version: headers[header.version]! };
  }

  /** Data keys for all rows of the batch in one call, or just whether they may pass. */
  async function fetchKeys(rows: readonly (Outcome | Waiting)[]): Promise<DataKeys> {
    const indexes = new Map<string, number>();
    const ids: string[] = [];
    for (const row of rows) {
      if (row.kind !== 'waiting' || row.fate || row.subjectId === null) continue;
      let index = indexes.get(row.subjectId);
      if (index === undefined) {
        index = ids.push(row.subjectId) - 1;
        indexes.set(row.subjectId, index);
      }
      row.keyIndex = index;
    }
    if (ids.length === 0) return [];
    if (isPersonal) return parts.protection.dataKeys(dataset.subject!, ids);
    const suppressed = await parts.protection.areSuppressed(dataset.subject!, ids);
    return suppressed.map((is) => (is ? null : undefined));
  }

  async function readMany(
    rows: readonly Waiting[],
    columns: readonly string[],
  ): Promise<readonly (FoundRow | null)[]> {
    const asked = rows.map(({ record, txId }) => {
      const rawKey = record.key!;
      return { key: plans.key(rawKey).readSource(reader.reset(rawKey, 5)), txId };
    });
    try {
      return await parts.resolver.read(dataset.table, asked, columns);
    } catch (error) {
      // No event tells that such a column is renamed or dropped: the table waits as it does for one that events lose.
      const isGone = error instanceof LetheError && error.code === 'VALUE_UNRESOLVED';
      if (isGone && columns.some((name) => readAtSource.has(name))) {
        const named = new Set([...columns, ...dataset.key.map(({ name }) => name)]);
        await parts.onMissing?.([...named]);
      }
      throw error;
    }
  }

  /** What all rows of the batch need of the source. */
  function readsOf(rows: readonly (Outcome | Waiting)[], offsets: Int32Array): Reads {
    const reads: Reads = new BatchReads(readMany, bytesOf);
    for (const row of rows) {
      if (row.kind !== 'waiting' || row.ordinary) continue;
      const { plan, record, base } = row;
      reads.plan(row, () => {
        const values = row.fate ? [] : (plan.row.unresolved(record.value!, offsets, base) ?? []);
        const facts = row.readsLookup ? plan.row.facts.unchanged(record.value!, offsets, base) : [];
        const judges = values.length > 0 ? plan.row.judgedBy : [];
        return [...new Set([...values, ...facts, ...judges])];
      });
    }
    return reads;
  }

  /** Values read at the source: none where the row needs none, null where it is gone or another event will say what it has become. */
  async function resolve(
    row: Waiting,
    offsets: Int32Array,
    reads: Reads,
  ): Promise<Resolved | undefined | null> {
    const read = await reads.of(row);
    if (!read) return undefined;
    const { columns, values: found } = read;
    if (!found) return null;
    const { row: plan } = row.plan;
    // A newer value is safe only for whom and under what the event was judged: nobody agreed to more.
    const isAlike = plan.isJudgedAlike(row.record.value!, offsets, row.base, found.values);
    if (!row.fate && !isAlike && isNewer(found, row.txId)) return null;
    const judges = new Set(plan.judgedBy);
    const resolved = new Map<string, Buffer | null>();
    for (const name of columns) {
      const value = found.values.get(name);
      const raw = plan.rawTypes.get(name);
      // What the row is judged by the event has, unless it is a text out of line.
      if (judges.has(name) && (value === undefined || raw?.avro !== 'string')) continue;
      if (value === undefined || !raw) {
        throw new LetheError('VALUE_UNRESOLVED', `column ${name} of ${dataset.table} cannot be read back`);
      }
      resolved.set(name, encodeSourceValue(raw, value));
    }
    return resolved;
  }

  function write(
    plan: ValuePlan,
    value: Buffer,
    offsets: Int32Array,
    base: number,
    out: ByteWriter,
    dataKey: DataKey | undefined,
    resolved: Resolved | undefined,
  ): Buffer {
    out.begin();
    out.copy(frame, 0, 5);
    const names = plan.row.namesOf(value, offsets, base, resolved);
    const row = isPersonal || names.length > 0 ? { dataKey, names } : nothingOfTheRow;
    plan.row.write(value, offsets, base, out, row, resolved);
    return out.take();
  }

  function finish(
    row: Waiting,
    keys: DataKeys,
    offsets: Int32Array,
    out: ByteWriter,
    resolved: Resolved | undefined,
  ): Fate {
    const { plan, key, headers, base, record } = row;
    const dataKey = keys[row.keyIndex];
    if (dataKey === null) return erased(key, headers);
    const value = write(plan, record.value!, offsets, base, out, dataKey, resolved);
    return { kind: 'clean', key, value, headers };
  }

  /** Finishes a row that may hold numeric's special values, or values to be read back. */
  async function finishSpecial(
    row: Waiting,
    keys: DataKeys,
    offsets: Int32Array,
    out: ByteWriter,
    reads: Reads,
  ): Promise<Fate> {
    const { plan, record, base } = row;
    const corrected = plan.row.corrections(record.value!, offsets, base);
    const resolved = await resolve(row, offsets, reads);
    if (resolved === undefined) return finish(row, keys, offsets, out, corrected);
    if (resolved === null) return { kind: 'skipped', reason: 'superseded' };
    if (!plan.row.filter.passes(record.value!, offsets, base, resolved))
      return withdrawn(row.key, row.headers);
    const all = corrected ? new Map([...corrected, ...resolved]) : resolved;
    return finish(row, keys, offsets, out, all);
  }

  /** Adds what others look up in a row whose event does not hold it; nothing where the row is gone, which its delete will say. */
  async function withLookup(row: Waiting, fate: Fate, offsets: Int32Array, reads: Reads): Promise<Outcome> {
    const { plan, record, base } = row;
    const { facts } = plan.row;
    try {
      const resolved = await resolve(row, offsets, reads);
      const read = resolved && facts.read(record.value!, offsets, base, resolved);
      return read ? { ...fate, lookup: lookupOf(record.key!, row.headers, read) } : fate;
    } catch (error) {
      return failed(error);
    }
  }

  return {
    table: dataset.table,
    async transform(records, clock) {
      await plans.load(records);
      // Batches of several partitions are under way at once: nothing that outlives a wait is shared between calls. What fails midway keeps
      // its room: somebody may still be reading there.
      const room = rooms.lend();
      const out = new ByteWriter(records.reduce((sum, r) => sum + (r.value?.length ?? 0), 0) + 1024);
      const started: (Outcome | Waiting)[] = [];
      for (const record of records) {
        try {
          started.push(start(record, clock, room, out));
        } catch (error) {
          started.push(failed(error));
        }
      }
      const keys = isSomebodys ? await fetchKeys(started) : [];
      const reads = readsOf(started, room.at);
      const outcomes: Outcome[] = [];
      for (const row of started) {
        if (row.kind !== 'waiting') {
          outcomes.push(row);
          continue;
        }
        let fate: Fate;
        try {
          fate =
            row.fate ??
            (row.ordinary
              ? finish(row, keys, room.at, out, undefined)
              : await finishSpecial(row, keys, room.at, out, reads));
        } catch (error) {
          fate = failed(error);
        }
        if (row.lookup) outcomes.push({ ...fate, lookup: row.lookup });
        else outcomes.push(row.readsLookup ? await withLookup(row, fate, room.at, reads) : fate);
      }
      rooms.giveBack(room);
      if (parts.index && isSomebodys) {
        const whose = started.map((row) => (row.kind === 'waiting' ? row.subjectId : null));
        await noteSubjects(parts.index, dataset, outcomes, whose);
      }
      return outcomes;
    },
  };
}
