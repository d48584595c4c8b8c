import type { Outcome, RawRecord } from '../../pipeline/transform.ts';
import { VersionClock } from '../../pipeline/version-clock.ts';
import type { AvroSchema } from '../../schemas/clean-schema.ts';
import type { ColumnRule } from '../../schemas/column-rule.ts';
import type { Dataset, DatasetColumn } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { avroType } from '../../schemas/registry.ts';
import { formatVersion, zeroVersion } from '../../schemas/version.ts';
import { compileArrayMap } from '../../transforms/array-map.ts';
import { compileSkip, NamedTypes, type WriterSchema } from '../../transforms/avro-skip.ts';
import { ByteWriter } from '../../transforms/byte-writer.ts';
import { type ActionSources, compileColumnAction } from '../../transforms/column-action.ts';
import { encodeSourceValue } from '../../transforms/encode-value.ts';
import { EnvelopePlan } from '../../transforms/envelope-plan.ts';
import { compileGeneralise } from '../../transforms/generalise.ts';
import { KeyPlan } from '../../transforms/key-plan.ts';
import { compilePathAction } from '../../transforms/path-action.ts';
import { compilePathMap } from '../../transforms/path-map.ts';
import { PlanCache } from '../../transforms/plan-cache.ts';
import { RowPlan } from '../../transforms/row-plan.ts';
import { RowText } from '../../transforms/row-text.ts';
import { compileTextAction } from '../../transforms/text-action.ts';
import { createTableTransform, type TransformParts } from '../../transforms/table-transform.ts';
import { envelopeSchema, frame, type TestColumn, testDataset } from './raw-events.ts';
import { sharedKey, testCipher, testProtection } from './test-keys.ts';

const classification = 'person.contact' as const;
const placeholder = '__lethe_unavailable_test';
const cipher = testCipher;
const keyType = avroType({ type: 'record', name: 'Key', fields: [{ name: 'id', type: 'string' }] });

export const rule = (action: string, options: object = {}): ColumnRule =>
  ({ classification, action, ...options }) as ColumnRule;
const column = (name: string, typeName: string, own?: ColumnRule, nullable = true): TestColumn => ({
  name,
  typeName,
  nullable,
  rule: own,
});

const paths = { secret: { action: 'encrypt' }, born: { action: 'generalise', to: 'year' } };
/** Every column holds somebody's value; which may be turned into which failure, the cases say. */
const columns: readonly TestColumn[] = [
  column('id', 'text', rule('keep'), false),
  column('person', 'text', rule('drop')),
  column('mail', 'text', rule('encrypt')),
  column('card', 'text', rule('format-preserving', { alphabet: 'digits' })),
  column('doc', 'jsonb', rule('paths', { paths })),
  column('ip', 'inet', rule('generalise', { to: 'network' })),
  column('seen', 'timestamptz', rule('generalise', { to: 'year' })),
  column('price', 'numeric', rule('generalise', { to: 10 })),
  column('tags', '_text', rule('keep')),
  column('numbers', '_int8', rule('keep')),
  column('note', 'text', rule('redact', { names: ['person'] })),
  column('must', 'text', rule('hash'), false),
];

export const subject = { type: 'customer', key: 'person' };
const dataset = testDataset(columns, subject);
const schema = envelopeSchema(columns);

/** One record of a row, the canary in every value that its type lets be one. */
export function rawRecord(
  canary: string,
  changes: Record<string, unknown> = {},
  writer = schema,
  op = 'c',
): RawRecord {
  const row = {
    id: canary,
    person: canary,
    mail: canary,
    card: '4111111111111111',
    doc: JSON.stringify({ [canary]: canary }),
    ip: '192.0.2.1',
    seen: '2026-01-01T00:00:00Z',
    price: '12.5',
    tags: [canary, null],
    numbers: [5n],
    note: `about ${canary}`,
    must: canary,
    ...changes,
  };
  const source = {
    version: '3',
    ts_ms: 1_700_000_000_000n,
    snapshot: 'false',
    sequence: '["100","200"]',
    schema: 'public',
    table: 't',
    txId: 5n,
    lsn: 200n,
  };
  const event = { before: row, after: row, source, transaction: null, op, ts_ms: null };
  return {
    offset: '1',
    key: frame(2, keyType.toBuffer({ id: canary })),
    value: frame(1, avroType(writer).toBuffer(event)),
  };
}

/** What comes of records under a transform of which parts are replaced; an error that it throws is the last. */
export async function transformed(
  records: readonly RawRecord[],
  parts: Partial<TransformParts> = {},
  writer: AvroSchema = schema,
): Promise<(Outcome | Error)[]> {
  const transform = createTableTransform({
    dataset,
    cleanSchemaId: 9,
    writerSchema: async (id) => (id === 1 ? writer : keyType.schema()) as WriterSchema,
    protection: testProtection(),
    cipher,
    resolver: { read: async () => [] },
    placeholder,
    ...parts,
  });
  try {
    return await transform.transform(records, VersionClock.from(null));
  } catch (error) {
    return [error as Error];
  }
}

/** Failures of single records, by what is wrong with them. */
export function recordCases(canary: string): Readonly<Record<string, () => Promise<(Outcome | Error)[]>>> {
  const one = (changes: Record<string, unknown>, parts: Partial<TransformParts> = {}) =>
    transformed([rawRecord(canary, changes)], parts);
  const unresolved = (values: Record<string, unknown>, ...names: string[]) => {
    const changes = Object.fromEntries(
      names.map((name) => [
        name,
        name === 'numbers'
          ? [...Buffer.from(placeholder)].map(BigInt)
          : name === 'tags'
            ? [placeholder]
            : placeholder,
      ]),
    );
    return one(changes, {
      resolver: { read: async () => [{ values: new Map(Object.entries(values)) as never, writtenBy: 5n }] },
    });
  };
  const other = (changed: TestColumn) =>
    envelopeSchema(columns.map((each) => (each.name === changed.name ? changed : each)));
  const without = (name: string) => envelopeSchema(columns.filter((each) => each.name !== name));
  const record = rawRecord(canary);
  return {
    'a format with too few characters': () => one({ card: canary.replaceAll(/./gu, '-') }),
    'a format with letters': () => one({ card: canary }),
    'a format with too many': () => one({ card: '4'.repeat(100_000) }),
    'a document that is none': () => one({ doc: `{"${canary}": ${canary}` }),
    'a broken escape in a document': () => one({ doc: `{"born": "${canary}\\x"}` }),
    'an address that is none': () => one({ ip: canary }),
    'an instant that is none': () => one({ seen: canary }),
    'a number that is none': () => one({ price: canary }),
    'no subject': () => one({ person: null }),
    'a subject out of line': () => one({ person: placeholder }),
    'a subject whose row did not come': () => {
      const led = {
        ...dataset,
        subject: { type: 'customer', key: 'person', hops: [{ table: 'public.o', column: 'c' }] },
      };
      const parked = { version: formatVersion(zeroVersion), expired: true };
      const lookups = { find: () => undefined, digest: () => 'digest' };
      return transformed([{ ...rawRecord(canary), parked }], { dataset: led, lookups });
    },
    'a value that cannot be read back': () => unresolved({}, 'note'),
    'a value read back of another type': () => unresolved({ note: Buffer.from(canary) }, 'note'),
    'a number read back that is none': () => unresolved({ numbers: [canary] }, 'numbers'),
    'a null read back where there was none': () => unresolved({ must: null }, 'must'),
    'a record cut off': () => transformed([{ ...record, value: record.value!.subarray(0, -3) }]),
    'a record of no frame': () => transformed([{ ...record, value: Buffer.from(canary) }]),
    'a key of no frame': () => transformed([{ ...record, key: Buffer.from(canary) }]),
    'a truncate': () => transformed([{ ...rawRecord(canary, {}, schema, 't'), key: null }]),
    'an unknown schema': () =>
      transformed([record], {
        writerSchema: async (id) => {
          throw new LetheError('SCHEMA_UNKNOWN', `the registry does not know schema ${id}`);
        },
      }),
    'a column of another type': () => {
      const writer = other(column('must', 'int4', undefined, false));
      return transformed([rawRecord(canary, { must: 7 }, writer)], {}, writer);
    },
    'a column that is gone': () => transformed([rawRecord(canary, {}, without('must'))], {}, without('must')),
    'a column to read that is gone': () =>
      transformed([rawRecord(canary, {}, without('person'))], {}, without('person')),
    'a null that may not be': () => {
      const writer = other(column('must', 'text', undefined, true));
      return transformed([rawRecord(canary, { must: null }, writer)], {}, writer);
    },
    'a key store that is away': () =>
      one(
        {},
        {
          protection: {
            ...testProtection(),
            dataKeys: async () => {
              throw new LetheError('KEY_STORE_UNAVAILABLE', 'the key store failed (no answer)');
            },
          },
        },
      ),
  };
}

const sourcesOf = (name: string, own: ColumnRule, parts: Partial<DatasetColumn> = {}): ActionSources => ({
  table: 'public.t',
  column: { name, rule: own, source: 'text', clean: 'text', nullable: true, ...parts },
  hasSubject: false,
  keys: sharedKey,
  cipher,
});

/** Contracts, schemas and parts of the engine that do not fit each other; checks keep most of it away. */
export function misfits(): readonly (() => unknown)[] {
  const record = (fields: object[]): WriterSchema => ({ type: 'record', name: 'R', fields }) as WriterSchema;
  const row = record([{ name: 'a', type: 'string' }]);
  const named = new NamedTypes('string');
  const hashed = testDataset([column('id', 'text', rule('hash'), false)]);
  const key = (fields: object[], of: Dataset = hashed) => new KeyPlan(record(fields), of, sharedKey);
  const masked: Dataset = {
    ...hashed,
    key: hashed.key.map((part) => ({ ...part, rule: rule('mask', { keepStart: 0, keepEnd: 0 }) })),
  };
  const context = { dataKey: undefined, names: [] };
  const withSubject = (own: ColumnRule) => ({ ...sourcesOf('a', own), hasSubject: true });
  const sealedPath = compilePathAction(withSubject(rule('encrypt')), 'p', rule('encrypt') as never);
  return [
    () => new EnvelopePlan('string'),
    () => new EnvelopePlan(record([])),
    () => new EnvelopePlan(record([{ name: 'after', type: row }])),
    () => new EnvelopePlan(record([{ name: 'after', type: ['null'] }])),
    () => compileSkip('Missing', named),
    () =>
      compileSkip(
        Array.from({ length: 40 }).reduce<WriterSchema>((type) => [type], 'null'),
        named,
      ),
    () => new KeyPlan('string', hashed, sharedKey),
    () => key([{ name: 'other', type: 'string' }]),
    () => key([{ name: 'id', type: 'double' }]),
    () => key([]),
    () => key([{ name: 'id', type: 'string' }], masked),
    () => compileColumnAction(sourcesOf('a', rule('hash'), { source: 'bytes' })),
    () => compileColumnAction(sourcesOf('a', rule('encrypt'))),
    () => compileColumnAction(withSubject(rule('encrypt')))(Buffer.alloc(1), 0, 1, new ByteWriter(), context),
    () => compilePathAction(sourcesOf('a', rule('keep')), 'p', rule('drop') as never),
    () => compilePathAction(sourcesOf('a', rule('keep')), 'p', rule('encrypt') as never),
    () => sealedPath.act('"x"', context),
    () =>
      compileTextAction(
        { table: 'public.t', column: { name: 'a' }, rule: rule('hash') },
        withSubject(rule('hash')),
      )!('x', context),
    () => compilePathMap(sourcesOf('a', rule('keep')), rule('paths', { paths: { '..': {} } }) as never),
    () => compileArrayMap(sourcesOf('a', rule('keep')), rule('paths', { paths: {} }) as never),
    () => encodeSourceValue({ avro: 'array', item: 'string' }, [null]),
    () => encodeSourceValue({ avro: 'array', item: 'string' }, [['a secret']] as never),
    () => compileGeneralise('text', 'year'),
    () => compileGeneralise('text', 10),
    () => {
      const spot = {
        ...column('spot', 'spot', rule('paths', { paths: { lat: { action: 'keep' } } })),
        typeKind: 'c',
      };
      const of = testDataset([column('id', 'text', rule('keep'), false), spot]);
      const plan = new RowPlan(
        { type: 'record', name: 'R', fields: [{ name: 'id', type: 'string' }] },
        named,
        of,
        { placeholder, cipher, keys: sharedKey },
      );
      plan.write(Buffer.alloc(1), Int32Array.of(0, 1), 0, new ByteWriter(), context, undefined);
    },
    () => new RowText('gone', 'text', new Map(), placeholder),
    async () => {
      const protection = {
        dataKeys: async () => [],
        areSuppressed: async () => [],
        sharedKey: async () => undefined as never,
      };
      const writerSchema = async () => keyType.schema() as WriterSchema;
      const cache = new PlanCache({ dataset: hashed, writerSchema, protection, cipher, placeholder });
      await cache.load([{ offset: '1', key: frame(2, Buffer.alloc(1)), value: null }]);
      cache.key(frame(2, Buffer.alloc(1)));
    },
  ];
}
