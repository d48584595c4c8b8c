import { createHmac } from 'node:crypto';
import { withSource } from '../../connectors/postgres/source-client.ts';
import { claimRetained, type Keeping } from '../../erasure/retained-rows.ts';
import type { OpenErasure, StepResult, StepWork } from '../../erasure/runner.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import type { SubjectKind } from '../../keys/key-store.ts';
import type { SubjectKey } from '../../keys/subject-key.ts';
import { uuidText } from '../../keys/uuid.ts';
import { createKafka, kafkaError } from '../../pipeline/kafka.ts';
import { sendRecords } from '../../pipeline/send-records.ts';
import { ownHeaders } from '../../repair/own-headers.ts';
import { cleanAvroSchema } from '../../schemas/clean-schema.ts';
import type { Dataset, DatasetColumn } from '../../schemas/dataset.ts';
import { type ErasureRule, retainedUntil } from '../../schemas/erasure-rule.ts';
import { LetheError } from '../../schemas/errors.ts';
import * as names from '../../schemas/names.ts';
import { encodeRecordKey } from '../../schemas/record-key.ts';
import { avroType, Registry } from '../../schemas/registry.ts';
import { drawnKey, retainedContract } from '../../schemas/retained-row.ts';
import type { Protection } from '../../transforms/protection.ts';
import { datasetsOf, type ErasureContext } from './context.ts';
import { type ReducedRow, reducedRows } from './reduced-rows.ts';

type Retain = NonNullable<ErasureRule['retain']>;

/** Whose keys rows of a table are kept under; each request has one there. */
export function retainKind(type: string, table: string): SubjectKind {
  return { type, purpose: `retain/${table}` };
}

/**
 * What the law has to be kept of the persons is made anew, while the source still leads from rows to them: with the columns that the contract
 * keeps alone, under an id drawn by lot, and what was encrypted under a key of the request's own. From then on it is a record like any other,
 * which no erasure of the person reaches; its end is noted beforehand.
 */
export function retainedWork(context: ErasureContext): StepWork {
  return async (erasures) => {
    const results: StepResult[] = [];
    for (const erasure of erasures) {
      let rows = 0;
      const datasets = datasetsOf(context, new Set([erasure.inventory.subject.type]));
      for (const dataset of datasets) {
        const retain = dataset.contract.erasure?.retain;
        if (retain) rows += await retainRows(context, dataset, retain, erasure);
      }
      results.push({ evidence: { rows }, inventory: erasure.inventory });
    }
    return results;
  };
}

async function retainRows(
  context: ErasureContext,
  dataset: Dataset,
  retain: Retain,
  { request, inventory }: OpenErasure,
): Promise<number> {
  // That of the project has the tables of every path, those of consents too.
  const { config, catalog } = context.project;
  const suppressed = request.steps.find(({ step }) => step === 'suppressed')!;
  const until = retainedUntil(retain.for, new Date(suppressed.endedAt));
  const lot = Buffer.from(inventory.lot!, 'base64');
  const keys = purposeKeys(context, dataset, request.id);
  const encode = await encoderOf(context, dataset);
  let count = 0;
  await withSource(config.postgres, async (source) => {
    const { id } = inventory.subject;
    const at = { dataset, catalog };
    for await (const rows of reducedRows(config, source, at, id, retain.columns, keys.protection)) {
      if (rows.length === 0) continue;
      const keyId = keys.used();
      const keeping: Keeping = {
        dataset: dataset.table,
        request: request.id,
        keyId,
        version: inventory.barrier!,
        basis: retain.basis,
        until,
      };
      const drawn = await claimKeys(context, dataset, keeping, lot, rows);
      await write(
        context,
        dataset,
        inventory.barrier!,
        rows.map((row, i) => encode(row, drawn[i]!)),
      );
      count += rows.length;
    }
  });
  return count;
}

/** Keys that nobody else has in the table, the same when it is done again; as their parts. */
async function claimKeys(
  { project: { config } }: ErasureContext,
  dataset: Dataset,
  keeping: Keeping,
  lot: Buffer,
  rows: readonly ReducedRow[],
): Promise<string[][]> {
  const drawnBy = new Map<string, string[]>();
  const draws = rows.map(({ key }) => ({
    origin: createHmac('sha256', lot).update(`${dataset.table}\n${key}`).digest('hex'),
    key: (attempt: number) => {
      const parts = drawnKey(dataset, lot, key, attempt);
      const text = encodeRecordKey(parts);
      drawnBy.set(text, parts);
      return text;
    },
  }));
  const claimed = await withKeyStore(config, (client) => claimRetained(client, keeping, draws));
  return claimed.map((key) => drawnBy.get(key)!);
}

interface Written {
  readonly key: string;
  readonly value: Buffer;
}

/** Makes the clean record of a reduced row: what is not kept is null, and the key columns have the drawn parts. */
async function encoderOf(
  { project: { config } }: ErasureContext,
  dataset: Dataset,
): Promise<(row: ReducedRow, key: readonly string[]) => Written> {
  const schema = cleanAvroSchema(dataset);
  const id = await new Registry(config.registry).idOf(names.cleanSubject(config, dataset.table), schema);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(id, 1);
  const type = avroType(schema);
  return ({ values }, key) => {
    const record = Object.fromEntries(
      dataset.columns.map((column) => [
        column.name,
        column.keyIndex === undefined
          ? (values.get(column.name) ?? null)
          : keyValue(column, key[column.keyIndex]!),
      ]),
    );
    return { key: encodeRecordKey(key), value: Buffer.concat([frame, type.toBuffer(record)]) };
  };
}

function keyValue({ clean }: DatasetColumn, part: string): string | number | bigint {
  if (clean === 'int') return Number(part);
  return clean === 'long' ? BigInt(part) : part;
}

async function write(
  { project: { config } }: ErasureContext,
  { table, digest }: Dataset,
  version: string,
  records: readonly Written[],
): Promise<void> {
  const made = { table, digest: retainedContract(digest) };
  const now = Date.now();
  const messages = records.map(({ key, value }) => ({
    key,
    value,
    headers: ownHeaders(made, 'r', key, version, now),
  }));
  try {
    await sendRecords(createKafka(config, 'erase'), names.cleanTopic(config, table), [messages]);
  } catch (cause) {
    throw kafkaError(cause);
  }
}

/** The engine asks for the person's key, and gets that of the request: the person's is about to be destroyed. */
function purposeKeys(
  { keys }: ErasureContext,
  { table }: Dataset,
  request: string,
): { readonly protection: Protection; used(): string | null } {
  let used: SubjectKey | undefined;
  return {
    protection: {
      sharedKey: (use) => keys.sharedKey(use),
      areSuppressed: async (_kind, ids) => ids.map(() => false),
      async dataKeys({ type }, ids) {
        const [key] = await keys.dataKeys(retainKind(type, table), [request]);
        if (!key) {
          throw new LetheError(
            'ERASURE_REFUSED',
            `what request ${request} keeps of ${table} has ended already`,
            {
              fix: 'File another request.',
            },
          );
        }
        used = key;
        return ids.map(() => key);
      },
    },
    used: () => (used ? uuidText(used.keyId) : null),
  };
}
