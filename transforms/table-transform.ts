import type { LookupChange, Lookups } from '../pipeline/lookup.ts';
import type { Fate, MissingRow, Outcome, RawRecord, TableTransform } from '../pipeline/transform.ts';
import type { VersionClock } from '../pipeline/version-clock.ts';
import { encrypts as isEncrypted } from '../schemas/column-rule.ts';
import { isRetriable, LetheError } from '../schemas/errors.ts';
import { header } from '../schemas/record-headers.ts';
import { formatVersion } from '../schemas/version.ts';
import { AvroReader, malformed } from './avro-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import type { RowContext } from './column-action.ts';
import { encodeSourceValue } from './encode-value.ts';
import { eventId, TraceIds } from './event-id.ts';
import { PlanCache, type PlanSources, type ValuePlan } from './plan-cache.ts';
import type { DataKey } from './protection.ts';
import type { Resolved } from './row-plan.ts';
import type { ValueResolver } from './value-resolver.ts';

/** What a transform is made of; all I/O is passed in. */
export interface TransformParts extends PlanSources {
  /** Id of the clean schema in the registry. */
  readonly cleanSchemaId: number;
  readonly resolver: ValueResolver;
  /** Rows of the tables that paths lead over; needed where there are paths. */
  readonly lookups?: Lookups;
}

/** A record on its way: located, not yet written. */
interface Located {
  readonly record: RawRecord;
  readonly value: Buffer;
  readonly sourceKey: readonly string[];
  readonly txId: bigint | undefined;
  readonly key: string;
  readonly headers: Record<string, string>;
  readonly plan: ValuePlan;
  /** Where its field offsets stand; -1 for a delete. */
  base: number;
  /** Why no row goes out: it was deleted, may not pass, must wait, or fails. */
  fate: 'deleted' | 'withdrawn' | Fate | undefined;
  subjectId: string | undefined;
  dataKey: DataKey | undefined;
}

/** Field offsets of a batch in one growing array. */
class Offsets {
  at = new Int32Array(4096);
  private used = 0;

  /** Where `n` entries are free. */
  take(n: number): number {
    if (this.used + n > this.at.length) {
      const larger = new Int32Array(Math.max(this.at.length * 2, this.used + n));
      larger.set(this.at);
      this.at = larger;
    }
    this.used += n;
    return this.used - n;
  }
}

const noSubject: RowContext = { dataKey: undefined, subjectId: '' };

/** Makes the transform of one table: Confluent-framed raw Avro in, Confluent-framed clean Avro out. */
export function createTableTransform(parts: TransformParts): TableTransform {
  const { dataset } = parts;
  const plans = new PlanCache(parts);
  const traceIds = new TraceIds();
  const encrypts = dataset.columns.some(({ rule }) => isEncrypted(rule));
  const reader = new AvroReader();

  function locate(record: RawRecord, clock: VersionClock, room: Offsets): Located | Fate {
    const { key: rawKey, value } = record;
    if (value === null) return { kind: 'skipped', reason: 'tombstone' };
    const plan = plans.value(value);
    const head = plan.envelope.read(reader.reset(value, 5));
    const version =
      record.parked?.version ??
      formatVersion(
        clock.next({ read: head.op === 'r', previousCommit: head.previousCommit, lsn: head.lsn }),
      );
    if (head.op === 't' || head.op === 'm' || rawKey === null) return { kind: 'skipped', reason: 'no-row' };
    const keys = plans.key(rawKey);
    const sourceKey = keys.readSource(reader.reset(rawKey, 5));
    const key = keys.clean(sourceKey);
    const headers = {
      [header.version]: version,
      [header.eventId]: eventId(dataset.table, key, version),
      [header.traceId]: traceIds.of(version, head.txId),
      [header.op]: head.op,
      [header.commitMs]: String(head.commitMs),
      [header.contract]: dataset.digest,
    };
    const located: Located = {
      record,
      value,
      sourceKey,
      txId: head.txId,
      key,
      headers,
      plan,
      base: -1,
      fate: undefined,
      subjectId: undefined,
      dataKey: undefined,
    };
    if (head.op === 'd') return { ...located, fate: 'deleted' };
    if (head.after < 0) throw malformed();
    located.base = room.take(plan.row.fieldCount + 1);
    plan.row.locate(reader.reset(value, head.after), room.at, located.base);
    try {
      located.fate = admit(located, room.at);
    } catch (error) {
      // What others look up in the row they still may.
      located.fate = failed(error);
    }
    return located;
  }

  /** Whether and for whom the row passes; finds its subject. */
  function admit(l: Located, offsets: Int32Array): Located['fate'] {
    const { value, base, record } = l;
    const { filter, consent, subject } = l.plan.row;
    if (filter.passes(value, offsets, base) === false) return 'withdrawn';
    if (consent) {
      const end = consent.follow(value, offsets, base, parts.lookups);
      // What is not known does not pass, once there was time to learn it.
      if ('missing' in end) return record.parked?.expired ? 'withdrawn' : parkedFor(l, end.missing);
      if (!dataset.consentPath!.test(end.text)) return 'withdrawn';
    }
    if (!encrypts) return undefined;
    const end = subject?.follow(value, offsets, base, parts.lookups) ?? { text: null };
    if ('missing' in end) {
      if (!record.parked?.expired) return parkedFor(l, end.missing);
      throw new LetheError('SUBJECT_UNRESOLVED', `a row of ${end.missing.table} did not come in time`);
    }
    if (end.text === null)
      throw new LetheError('SUBJECT_MISSING', `a row of ${dataset.table} has no data subject`);
    l.subjectId = end.text;
    return undefined;
  }

  /** Data keys for all rows of the batch in one call. */
  async function fetchKeys(rows: readonly Located[]): Promise<void> {
    const ids = [...new Set(rows.map((l) => l.subjectId!))];
    if (ids.length === 0) return;
    const keys = await parts.protection.dataKeys(dataset.subject!.type, ids);
    const byId = new Map(ids.map((id, i) => [id, keys[i]]));
    for (const row of rows) row.dataKey = byId.get(row.subjectId!) ?? undefined;
  }

  /** Values of unchanged columns, read back from the source; undefined where the row is gone. */
  async function resolve(l: Located, columns: readonly string[]): Promise<Resolved | undefined> {
    const values = await parts.resolver.read(dataset.table, l.sourceKey, columns, l.txId);
    if (!values) return undefined;
    return new Map(
      columns.map((name) => {
        const value = values.get(name);
        const raw = l.plan.row.rawTypes.get(name);
        if (value === undefined || !raw) {
          throw new LetheError('VALUE_UNRESOLVED', `column ${name} of ${dataset.table} cannot be read back`);
        }
        return [name, encodeSourceValue(raw, value)];
      }),
    );
  }

  function write(l: Located, offsets: Int32Array, out: ByteWriter, resolved: Resolved | undefined): Fate {
    if (encrypts && !l.dataKey) throw new LetheError('SUBJECT_ERASED', `a row of ${dataset.table}`);
    out.begin();
    out.byte(0);
    out.reserve(4);
    out.pos = out.buf.writeUInt32BE(parts.cleanSchemaId, out.pos);
    const row = encrypts ? { dataKey: l.dataKey, subjectId: l.subjectId! } : noSubject;
    l.plan.row.write(l.value, offsets, l.base, out, row, resolved);
    return { kind: 'clean', key: l.key, value: out.take(), headers: l.headers };
  }

  async function finish(l: Located, offsets: Int32Array, out: ByteWriter): Promise<Outcome> {
    let fate: Fate;
    try {
      fate = await fateOf(l, offsets, out);
    } catch (error) {
      fate = failed(error);
    }
    // A record that waited has said it when it came.
    if (dataset.facts.length === 0 || l.record.parked) return fate;
    try {
      const lookup = await lookupOf(l, offsets);
      return lookup ? { ...fate, lookup } : fate;
    } catch (error) {
      return failed(error);
    }
  }

  async function fateOf(l: Located, offsets: Int32Array, out: ByteWriter): Promise<Fate> {
    if (l.fate === 'deleted') return { kind: 'clean', key: l.key, value: null, headers: l.headers };
    if (l.fate === 'withdrawn') return withdrawn(l);
    if (l.fate) return l.fate;
    const corrected = l.plan.row.corrections(l.value, offsets, l.base);
    const columns = l.plan.row.unresolved(l.value, offsets, l.base);
    if (!columns) return write(l, offsets, out, corrected);
    const resolved = await resolve(l, columns);
    if (!resolved) return { kind: 'skipped', reason: 'superseded' };
    if (!l.plan.row.filter.passes(l.value, offsets, l.base, resolved)) return withdrawn(l);
    return write(l, offsets, out, corrected ? new Map([...corrected, ...resolved]) : resolved);
  }

  /** What others look up in the row; undefined where it is gone, which its delete will say. */
  async function lookupOf(l: Located, offsets: Int32Array): Promise<LookupChange | undefined> {
    const [key] = l.sourceKey;
    const version = l.headers[header.version]!;
    if (l.fate === 'deleted') return { key: key!, facts: null, version };
    const { facts } = l.plan.row;
    const columns = facts.unchanged(l.value, offsets, l.base);
    const resolved = columns.length > 0 ? await resolve(l, columns) : new Map<string, never>();
    return resolved && { key: key!, facts: facts.read(l.value, offsets, l.base, resolved), version };
  }

  return {
    table: dataset.table,
    async transform(records, clock) {
      await plans.load(records);
      // Batches of several partitions are under way at once: nothing that outlives a wait is shared between calls.
      const room = new Offsets();
      const located = records.map((record) => {
        try {
          return locate(record, clock, room);
        } catch (error) {
          return failed(error);
        }
      });
      if (encrypts) await fetchKeys(located.filter((l): l is Located => !('kind' in l) && !l.fate));
      const bytes = records.reduce((sum, r) => sum + (r.value?.length ?? 0), 0);
      const out = new ByteWriter(bytes + 1024);
      const outcomes: Outcome[] = [];
      for (const l of located) outcomes.push('kind' in l ? l : await finish(l, room.at, out));
      return outcomes;
    },
  };
}

/** A row that may not pass: a delete to everybody downstream, whatever they had of it before. Nobody's key is asked for. */
function withdrawn({ key, headers }: Located): Fate {
  return { kind: 'clean', key, value: null, headers: { ...headers, [header.op]: 'd' } };
}

function parkedFor({ headers }: Located, waitsFor: MissingRow): Fate {
  return { kind: 'parked', version: headers[header.version]!, waitsFor };
}

/** A failure of one record is its outcome; a server's failure goes up, to be tried again. */
function failed(error: unknown): Fate {
  if (error instanceof LetheError && !isRetriable(error.code) && error.code !== 'KEY_STORE_INVALID') {
    return { kind: 'failed', code: error.code, reason: error.message };
  }
  throw error;
}
