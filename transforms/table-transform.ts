import type { KeyObject } from 'node:crypto';
import { BoundedCache } from '../pipeline/bounded-cache.ts';
import type { Outcome, RawRecord, TableTransform } from '../pipeline/transform.ts';
import type { VersionClock } from '../pipeline/version-clock.ts';
import type { Dataset, DatasetColumn } from '../schemas/dataset.ts';
import { isRetriable, LetheError } from '../schemas/errors.ts';
import { header } from '../schemas/record-headers.ts';
import { formatVersion } from '../schemas/version.ts';
import { AvroReader, malformed } from './avro-reader.ts';
import type { WriterSchema } from './avro-skip.ts';
import { ByteWriter } from './byte-writer.ts';
import type { Cipher, RowContext } from './column-action.ts';
import { encodeSourceValue } from './encode-value.ts';
import { type ChangeHead, EnvelopePlan } from './envelope-plan.ts';
import { eventId, traceId } from './event-id.ts';
import { KeyPlan } from './key-plan.ts';
import { type DataKey, type Protection, pseudonymScope } from './protection.ts';
import { type Resolved, RowPlan } from './row-plan.ts';
import type { ValueResolver } from './value-resolver.ts';

/** What a transform is made of; all I/O is passed in. */
export interface TransformParts {
  readonly dataset: Dataset;
  /** Id of the clean schema in the registry. */
  readonly cleanSchemaId: number;
  /** A writer schema by its registry id; SCHEMA_UNKNOWN if there is none, UNREACHABLE if nobody answers. */
  readonly writerSchema: (id: number) => Promise<WriterSchema>;
  readonly protection: Protection;
  readonly cipher: Cipher;
  readonly resolver: ValueResolver;
  /** Debezium's unavailable.value.placeholder. */
  readonly placeholder: string;
  /** Called once for each writer schema with the raw fields that the contract does not name. */
  readonly onUnnamed?: (fields: readonly string[]) => void;
}

/** Plans of one writer schema. */
interface ValuePlan {
  readonly envelope: EnvelopePlan;
  readonly row: RowPlan;
}

/** A record on its way: located, not yet written. */
interface Located {
  readonly record: RawRecord;
  readonly head: ChangeHead;
  readonly sourceKey: readonly string[];
  readonly key: string;
  readonly headers: Record<string, string>;
  readonly plan: ValuePlan;
  /** Undefined for a delete. */
  readonly offsets: Int32Array | undefined;
  subjectId: string | undefined;
  dataKey: DataKey | undefined;
  resolved: Resolved | undefined;
}

const noSubject: RowContext = { dataKey: undefined, subjectId: '' };

/** Makes the transform of one table: Confluent-framed raw Avro in, Confluent-framed clean Avro out. */
export function createTableTransform(parts: TransformParts): TableTransform {
  const { dataset } = parts;
  const valuePlans = new BoundedCache<number, ValuePlan>(64);
  const keyPlans = new BoundedCache<number, KeyPlan>(64);
  const pseudonymKeys = new Map<string, KeyObject>();
  const encrypts = dataset.columns.some((c) => c.rule.action === 'encrypt');
  const reader = new AvroReader();
  const out = new ByteWriter(1 << 20);
  const keyOf = (column: DatasetColumn) => pseudonymKeys.get(pseudonymScope(dataset, column));

  async function loadPseudonymKeys(): Promise<void> {
    for (const column of dataset.columns) {
      if (column.rule.action !== 'hash') continue;
      const scope = pseudonymScope(dataset, column);
      if (!pseudonymKeys.has(scope)) pseudonymKeys.set(scope, await parts.protection.pseudonymKey(scope));
    }
  }

  async function valuePlan(id: number): Promise<ValuePlan> {
    const known = valuePlans.get(id);
    if (known) return known;
    await loadPseudonymKeys();
    const envelope = new EnvelopePlan(await parts.writerSchema(id));
    const row = new RowPlan(envelope.row, envelope.names, dataset, {
      placeholder: parts.placeholder,
      cipher: parts.cipher,
      pseudonymKeys: keyOf,
    });
    if (row.unnamed.length > 0) parts.onUnnamed?.(row.unnamed);
    const plan = { envelope, row };
    valuePlans.set(id, plan);
    return plan;
  }

  async function keyPlan(id: number): Promise<KeyPlan> {
    const known = keyPlans.get(id);
    if (known) return known;
    await loadPseudonymKeys();
    const plan = new KeyPlan(await parts.writerSchema(id), dataset, keyOf);
    keyPlans.set(id, plan);
    return plan;
  }

  async function locate(record: RawRecord, clock: VersionClock): Promise<Located | Outcome> {
    if (record.value === null) return { kind: 'skipped', reason: 'tombstone' };
    const plan = valuePlans.get(schemaId(record.value)) ?? (await valuePlan(schemaId(record.value)));
    const head = plan.envelope.read(reader.reset(record.value, 5));
    const version = formatVersion(
      clock.next({ read: head.op === 'r', previousCommit: head.previousCommit, lsn: head.lsn }),
    );
    if (head.op === 't' || head.op === 'm' || record.key === null)
      return { kind: 'skipped', reason: 'no-row' };
    const keys = keyPlans.get(schemaId(record.key)) ?? (await keyPlan(schemaId(record.key)));
    const sourceKey = keys.readSource(reader.reset(record.key, 5));
    const key = keys.clean(sourceKey);
    const headers = {
      [header.version]: version,
      [header.eventId]: eventId(dataset.table, key, version),
      [header.traceId]: traceId(version, head.txId, head.op !== 'r'),
      [header.op]: head.op,
      [header.commitMs]: String(head.commitMs),
      [header.contract]: dataset.digest,
    };
    const located: Located = {
      record,
      head,
      sourceKey,
      key,
      headers,
      plan,
      offsets: undefined,
      subjectId: undefined,
      dataKey: undefined,
      resolved: undefined,
    };
    if (head.op === 'd') return located;
    if (head.after < 0) throw malformed();
    const offsets = plan.row.locate(reader.reset(record.value, head.after));
    const subjectId = encrypts ? plan.row.subjectId(record.value, offsets) : undefined;
    if (encrypts && subjectId === undefined) {
      throw new LetheError('SUBJECT_MISSING', `a row of ${dataset.table} has no data subject`);
    }
    return { ...located, offsets, subjectId };
  }

  /** Data keys for all rows of the batch in one call. */
  async function fetchKeys(located: readonly (Located | Outcome)[]): Promise<void> {
    if (!encrypts || !dataset.subject) return;
    const rows = located.filter((l): l is Located => !('kind' in l) && l.offsets !== undefined);
    const ids = [...new Set(rows.map((l) => l.subjectId!))];
    if (ids.length === 0) return;
    const keys = await parts.protection.dataKeys(dataset.subject.type, ids);
    const byId = new Map(ids.map((id, i) => [id, keys[i]]));
    for (const row of rows) row.dataKey = byId.get(row.subjectId!) ?? undefined;
  }

  /** Reads unchanged values back; an outcome where the row is gone. */
  async function resolve(l: Located): Promise<Outcome | undefined> {
    const columns = l.plan.row.unresolved(l.record.value!, l.offsets!);
    if (!columns) return undefined;
    const values = await parts.resolver.read(dataset.table, l.sourceKey, columns);
    if (!values) return { kind: 'skipped', reason: 'superseded' };
    l.resolved = new Map(
      columns.map((name) => {
        const value = values.get(name);
        const raw = l.plan.row.rawTypes.get(name);
        if (value === undefined || !raw)
          throw new LetheError('VALUE_UNRESOLVED', `column ${name} of ${dataset.table}`);
        return [name, encodeSourceValue(raw, value)];
      }),
    );
    return undefined;
  }

  function write(l: Located): Outcome {
    if (!l.offsets) return { kind: 'clean', key: l.key, value: null, headers: l.headers };
    if (encrypts && !l.dataKey) throw new LetheError('SUBJECT_ERASED', `a row of ${dataset.table}`);
    out.begin();
    out.byte(0);
    out.reserve(4);
    out.pos = out.buf.writeUInt32BE(parts.cleanSchemaId, out.pos);
    const row = encrypts ? { dataKey: l.dataKey, subjectId: l.subjectId! } : noSubject;
    l.plan.row.write(l.record.value!, l.offsets, out, row, l.resolved);
    return { kind: 'clean', key: l.key, value: out.take(), headers: l.headers };
  }

  return {
    table: dataset.table,
    async transform(records, clock) {
      out.reset();
      const located: (Located | Outcome)[] = [];
      for (const record of records) located.push(await guarded(() => locate(record, clock)));
      await fetchKeys(located);
      const outcomes: Outcome[] = [];
      for (const l of located) {
        if ('kind' in l) outcomes.push(l);
        else outcomes.push(await guarded(async () => (l.offsets ? await resolve(l) : undefined) ?? write(l)));
      }
      return outcomes;
    },
  };
}

/** A failure of one record becomes its outcome; a server's failure goes up to be retried. */
async function guarded<T>(work: () => Promise<T>): Promise<T | Outcome> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LetheError && !isRetriable(error.code)) {
      return { kind: 'failed', code: error.code, reason: error.message };
    }
    throw error;
  }
}

/** Confluent wire format: a zero byte, the schema id in four bytes, Avro. */
function schemaId(frame: Buffer): number {
  if (frame.length < 5 || frame[0] !== 0) throw malformed();
  return frame.readUInt32BE(1);
}
