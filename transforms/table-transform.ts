import type { Outcome, RawRecord, TableTransform } from '../pipeline/transform.ts';
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
import type { Resolved } from './row-text.ts';
import type { ValueResolver } from './value-resolver.ts';

/** What a transform is made of; all I/O is passed in. */
export interface TransformParts extends PlanSources {
  /** Id of the clean schema in the registry. */
  readonly cleanSchemaId: number;
  readonly resolver: ValueResolver;
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

/** Makes the transform of one table: Confluent-framed raw Avro in, Confluent-framed clean Avro out. */
export function createTableTransform(parts: TransformParts): TableTransform {
  const { dataset } = parts;
  const plans = new PlanCache(parts);
  const traceIds = new TraceIds();
  const encrypts = dataset.columns.some(({ rule }) => isEncrypted(rule));
  const reader = new AvroReader();

  function locate(record: RawRecord, clock: VersionClock, room: Offsets): Located | Outcome {
    const { key: rawKey, value } = record;
    if (value === null) return { kind: 'skipped', reason: 'tombstone' };
    const plan = plans.value(value);
    const head = plan.envelope.read(reader.reset(value, 5));
    const version = formatVersion(
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
      subjectId: undefined,
      dataKey: undefined,
    };
    if (head.op === 'd') return located;
    if (head.after < 0) throw malformed();
    located.base = room.take(plan.row.fieldCount + 1);
    plan.row.locate(reader.reset(value, head.after), room.at, located.base);
    if (plan.row.filter.passes(value, room.at, located.base) === false) return withdrawn(located);
    if (encrypts) {
      located.subjectId = plan.row.subjectId(value, room.at, located.base);
      if (located.subjectId === undefined) {
        throw new LetheError('SUBJECT_MISSING', `a row of ${dataset.table} has no data subject`);
      }
    }
    return located;
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

  function write(l: Located, offsets: Int32Array, out: ByteWriter, resolved: Resolved | undefined): Outcome {
    if (encrypts && !l.dataKey) throw new LetheError('SUBJECT_ERASED', `a row of ${dataset.table}`);
    out.begin();
    out.byte(0);
    out.reserve(4);
    out.pos = out.buf.writeUInt32BE(parts.cleanSchemaId, out.pos);
    const names = l.plan.row.namesOf(l.value, offsets, l.base, resolved);
    const row: RowContext = { dataKey: l.dataKey, subjectId: l.subjectId ?? '', names };
    l.plan.row.write(l.value, offsets, l.base, out, row, resolved);
    return { kind: 'clean', key: l.key, value: out.take(), headers: l.headers };
  }

  async function finish(l: Located, offsets: Int32Array, out: ByteWriter): Promise<Outcome> {
    try {
      if (l.base < 0) return { kind: 'clean', key: l.key, value: null, headers: l.headers };
      const corrected = l.plan.row.corrections(l.value, offsets, l.base);
      const columns = l.plan.row.unresolved(l.value, offsets, l.base);
      if (!columns) return write(l, offsets, out, corrected);
      const resolved = await resolve(l, columns);
      if (!resolved) return { kind: 'skipped', reason: 'superseded' };
      if (!l.plan.row.filter.passes(l.value, offsets, l.base, resolved)) {
        return finish(withdrawn(l), offsets, out);
      }
      return write(l, offsets, out, corrected ? new Map([...corrected, ...resolved]) : resolved);
    } catch (error) {
      return failed(error);
    }
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
      if (encrypts) await fetchKeys(located.filter((l): l is Located => !('kind' in l) && l.base >= 0));
      const bytes = records.reduce((sum, r) => sum + (r.value?.length ?? 0), 0);
      const out = new ByteWriter(bytes + 1024);
      const outcomes: Outcome[] = [];
      for (const l of located) outcomes.push('kind' in l ? l : await finish(l, room.at, out));
      return outcomes;
    },
  };
}

/** A row that may not pass: a delete to everybody downstream, whatever they had of it before. Nobody's key is asked for. */
function withdrawn(located: Located): Located {
  return { ...located, base: -1, headers: { ...located.headers, [header.op]: 'd' } };
}

/** A failure of one record is its outcome; a server's failure goes up, to be tried again. */
function failed(error: unknown): Outcome {
  if (error instanceof LetheError && !isRetriable(error.code)) {
    return { kind: 'failed', code: error.code, reason: error.message };
  }
  throw error;
}
