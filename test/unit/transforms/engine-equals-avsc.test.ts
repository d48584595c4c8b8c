import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { associatedData, decrypt } from '../../../keys/ciphertext.ts';
import { VersionClock } from '../../../pipeline/version-clock.ts';
import { formatAlphabets } from '../../../schemas/format-alphabet.ts';
import { cleanAvroSchema } from '../../../schemas/clean-schema.ts';
import type { ColumnRule } from '../../../schemas/column-rule.ts';
import { type Dataset, cleanKind, type DatasetColumn } from '../../../schemas/dataset.ts';
import { valueKind } from '../../../schemas/value-kind.ts';
import { keyUse } from '../../../schemas/key-use.ts';
import { avroType } from '../../../schemas/registry.ts';
import { createTableTransform } from '../../../transforms/table-transform.ts';
import { expectedRow, specialDecimals } from '../../support/expected-row.ts';
import { testCipher, testProtection, testSubjectKey } from '../../support/test-keys.ts';
import {
  envelopeSchema,
  frame,
  rawAvroType,
  type TestColumn,
  testDataset,
} from '../../support/raw-events.ts';

const placeholder = '__lethe_unavailable_test';
const classification = 'person.contact' as const;
const types = [
  'bool',
  'int4',
  'int8',
  'float8',
  'float4',
  'numeric',
  'text',
  'uuid',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'jsonb',
  'bytea',
  '_text',
  '_int4',
  '_int8',
  'inet',
];
const rules: ColumnRule[] = [
  { classification, action: 'keep' },
  { classification, action: 'drop' },
  { classification, action: 'null' },
  { classification, action: 'mask', keepStart: 1, keepEnd: 2 },
  { classification, action: 'hash' },
  { classification, action: 'hash', domain: 'people' },
  { classification, action: 'encrypt' },
  { classification, action: 'truncate', keep: 3 },
  { classification, action: 'generalise', to: 'year' },
  { classification, action: 'generalise', to: 'month' },
  { classification, action: 'generalise', to: 'day' },
  { classification, action: 'generalise', to: 10 },
  { classification, action: 'generalise', to: 0.25 },
  { classification, action: 'generalise', to: 'network', v4: 20 },
  { classification, action: 'redact' },
  { classification, action: 'tokenise' },
  { classification, action: 'tokenise', domain: 'people' },
  { classification, action: 'tokenise', under: 'shared' },
  { classification, action: 'hash', domain: 'people', under: 'subject' },
  { classification, action: 'format-preserving', alphabet: 'digits' },
  { classification, action: 'format-preserving', alphabet: 'upper-alphanumeric', domain: 'cards' },
  ...(['keep', 'null', 'hash', 'encrypt'] as const).map(
    (action): ColumnRule => ({ classification, action: 'paths', paths: { '[]': { action } } }),
  ),
];

/** Paths into JSON have a test of their own. */
const isJsonPaths = (rule: ColumnRule, kind: string): boolean => rule.action === 'paths' && kind === 'json';

const column = (i: number): fc.Arbitrary<TestColumn> =>
  fc
    .record({
      typeName: fc.constantFrom(...types),
      nullable: fc.boolean(),
      hasDefault: fc.boolean(),
      rule: fc.option(fc.constantFrom(...rules), { nil: undefined, freq: 8 }),
    })
    .map(({ typeName, rule, ...rest }) => {
      const kind = valueKind({ typeName, typeKind: 'b' })!;
      const fits = rule && cleanKind(rule, kind) && !isJsonPaths(rule, kind) ? rule : rules[0];
      return { name: `c${i}`, typeName, rule: rule ? fits : undefined, ...rest };
    });

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const words = fc.string({ unit: 'grapheme', maxLength: 40 });
const instants = fc
  .tuple(
    fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }),
    fc.constantFrom('', '.5', '.123456'),
  )
  .map(([date, fraction]) => `${date.toISOString().slice(0, 19)}${fraction}Z`);
const separated = (characters: string) =>
  fc
    .array(fc.constantFrom(...Array.from(characters)), { minLength: 6, maxLength: 30 })
    .chain((all) => fc.constantFrom(all.join(''), all.join('-'), ` ${all.join('')}`, all.join(' / ')));

function value({ typeName, rule }: TestColumn): fc.Arbitrary<unknown> {
  if (rule?.action === 'format-preserving') {
    return fc.oneof(separated(formatAlphabets[rule.alphabet]), fc.constant(''));
  }
  if (typeName === 'inet')
    return fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('10.0.0.0/8', '2001:db8::/32'));
  switch (rawAvroType(typeName).type) {
    case 'boolean':
      return fc.boolean();
    case 'int':
      return typeName === 'date' ? fc.integer({ min: -700_000, max: 2_900_000 }) : int32;
    case 'long':
      return int64;
    case 'float':
      return fc.float({ noNaN: true });
    case 'double':
      return fc.double({ noNaN: true });
    case 'bytes':
      return fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b));
    case 'array':
      return fc.array(
        fc.option<unknown>(typeName === '_text' ? words : typeName === '_int8' ? int64 : int32),
        {
          maxLength: 5,
        },
      );
    default:
      if (typeName === 'timestamptz') return instants;
      if (typeName !== 'numeric') return words;
      return fc.oneof(
        fc.constantFrom('NAN', 'POSITIVE_INFINITY', 'NEGATIVE_INFINITY', '0'),
        fc.integer().map(String),
        fc.tuple(int64, fc.integer({ min: 0, max: 999 })).map(([n, f]) => `${n}.${f}`),
      );
  }
}

const key: TestColumn = {
  name: 'id',
  typeName: 'int8',
  nullable: false,
  rule: { classification: 'person.id', action: 'keep' },
};
const table = fc
  .integer({ min: 0, max: 8 })
  .chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => column(i))))
  .chain((columns) => {
    const all: TestColumn[] = [key, ...columns];
    const row = fc.record(
      Object.fromEntries(all.map((c) => [c.name, c.nullable ? fc.option(value(c)) : value(c)])),
    );
    return fc.record({ columns: fc.constant(all), rows: fc.array(row, { minLength: 1, maxLength: 3 }) });
  });

const dataKey = testSubjectKey(3);
function makeTransform(dataset: Dataset, schema: unknown) {
  return createTableTransform({
    dataset,
    cleanSchemaId: 9,
    writerSchema: async (id) =>
      (id === 1 ? schema : { type: 'record', name: 'Key', fields: [{ name: 'id', type: 'long' }] }) as never,
    protection: testProtection(dataKey),
    cipher: testCipher,
    resolver: { read: async () => [] },
    placeholder,
  });
}

function encryptsItems(rule: ColumnRule): boolean {
  return rule.action === 'paths' && rule.paths['[]']?.action === 'encrypt';
}

const sourceBlock = {
  version: '3',
  ts_ms: 1_700_000_000_000n,
  snapshot: 'false',
  sequence: '["100","200"]',
  schema: 'public',
  table: 't',
  txId: 5n,
  lsn: 200n,
};

describe('the engine', { timeout: 300_000 }, () => {
  it('writes what avsc would write after decoding, acting and encoding, byte for byte', async () => {
    const seed = Number(process.env['FC_SEED'] ?? Date.now() & 0x7fffffff);
    console.log(`seed ${seed}`);
    await fc.assert(
      fc.asyncProperty(table, async ({ columns, rows }) => {
        const subject = { type: 'customer', key: 'id' };
        const dataset = testDataset(columns, subject);
        const schema = envelopeSchema(columns);
        const envelope = avroType(schema);
        const keyType = avroType({ type: 'record', name: 'Key', fields: [{ name: 'id', type: 'long' }] });
        const records = rows.map((row, i) => ({
          offset: String(i),
          key: frame(2, keyType.toBuffer({ id: row['id'] })),
          value: frame(
            1,
            envelope.toBuffer({
              before: null,
              after: row,
              source: sourceBlock,
              transaction: null,
              op: 'c',
              ts_ms: null,
            }),
          ),
        }));
        const outcomes = await makeTransform(dataset, schema).transform(records, VersionClock.from(null));
        const clean = avroType(cleanAvroSchema(dataset));
        for (const [i, outcome] of outcomes.entries()) {
          if (outcome.kind !== 'clean') throw new Error(`${outcome.kind} ${JSON.stringify(outcome)}`);
          expect(outcome.key).toBe(String(rows[i]!['id']));
          const body = outcome.value!.subarray(5);
          const want = expectedRow(dataset, columns, rows[i]!, dataKey.roots);
          const decoded = clean.fromBuffer(body) as Record<string, unknown>;
          const open = ({ rule }: DatasetColumn, place: string, sealed: Buffer) =>
            decrypt(
              dataKey,
              keyUse('encrypt', dataset.table, rule.classification),
              associatedData(dataset.table, place),
              sealed,
            );
          for (const c of dataset.columns) {
            if (encryptsItems(c.rule) && decoded[c.name] !== null) {
              const sealed = decoded[c.name] as (string | null)[];
              const plain = sealed.map(
                (item) =>
                  item &&
                  (open(c, `${c.name}#[]`, Buffer.from(item, 'base64'))?.toString('utf8') ?? 'not opened'),
              );
              expect(plain).toEqual(want[c.name]);
              want[c.name] = sealed;
              continue;
            }
            if (c.rule.action !== 'encrypt' || decoded[c.name] === null) continue;
            const plain = open(c, c.name, decoded[c.name] as Buffer);
            const type = avroType(rawAvroType(columns.find((t) => t.name === c.name)!.typeName));
            expect(
              plain &&
                type.compare(
                  type.fromBuffer(plain),
                  (c.source === 'decimal' ? specialDecimals.get(rows[i]![c.name]) : undefined) ??
                    rows[i]![c.name],
                ),
            ).toBe(0);
            want[c.name] = decoded[c.name];
          }
          expect(body.equals(clean.toBuffer(want))).toBe(true);
        }
      }),
      { numRuns: Number(process.env['FC_RUNS'] ?? 20_000), seed },
    );
  });

  it('answers truncated and corrupt input with a failure of that record, never a crash or a hang', async () => {
    const columns: TestColumn[] = [
      key,
      { name: 'a', typeName: 'text', nullable: true, rule: rules[0] },
      { name: 'b', typeName: '_text', nullable: false, rule: rules[6] },
      { name: 'c', typeName: 'text', nullable: false, rule: rules[3] },
    ];
    const dataset = testDataset(columns, { type: 'customer', key: 'id' });
    const schema = envelopeSchema(columns);
    const row = { id: 1n, a: 'abc', b: ['x', null], c: 'secret' };
    const value = frame(
      1,
      avroType(schema).toBuffer({
        before: null,
        after: row,
        source: sourceBlock,
        transaction: null,
        op: 'c',
        ts_ms: null,
      }),
    );
    const keyBytes = frame(
      2,
      avroType({ type: 'record', name: 'Key', fields: [{ name: 'id', type: 'long' }] }).toBuffer({ id: 1n }),
    );
    // With a key none is a TRUNCATE, which would halt the table.
    const truncate = Buffer.from(value);
    truncate[truncate.lastIndexOf('c')] = 't'.charCodeAt(0);
    const transform = makeTransform(dataset, schema);
    const mutation = fc.oneof(
      fc.integer({ min: 0, max: value.length - 1 }).map((n) => value.subarray(0, n)),
      fc
        .array(fc.tuple(fc.integer({ min: 5, max: value.length - 1 }), fc.integer({ min: 0, max: 255 })), {
          minLength: 1,
          maxLength: 4,
        })
        .map((edits) => {
          const copy = Buffer.from(value);
          for (const [at, byte] of edits) copy[at] = byte;
          return copy;
        }),
    );
    await fc.assert(
      fc.asyncProperty(mutation, async (broken) => {
        const [outcome, good] = await transform.transform(
          [
            { offset: '1', key: keyBytes, value: broken },
            { offset: '2', key: keyBytes, value },
          ],
          VersionClock.from(null),
        );
        expect(['clean', 'failed', 'skipped']).toContain(outcome!.kind);
        expect(good!.kind).toBe('clean');
        if (broken.length < value.length) expect(outcome!.kind).toBe('failed');
      }),
      { examples: [[truncate]], numRuns: 3_000 },
    );
  });
});

describe('batches of several partitions at once', () => {
  it('do not write into each other, however their waits interleave', async () => {
    const columns: TestColumn[] = [key, { name: 'a', typeName: 'text', nullable: false, rule: rules[6] }];
    const dataset = testDataset(columns, { type: 'customer', key: 'id' });
    const schema = envelopeSchema(columns);
    const envelope = avroType(schema);
    const keyType = avroType({ type: 'record', name: 'Key', fields: [{ name: 'id', type: 'long' }] });
    const clean = avroType(cleanAvroSchema(dataset));
    const transform = makeTransform(dataset, schema);
    const batches = Array.from({ length: 12 }, (_, p) =>
      Array.from({ length: 20 }, (_, i) => {
        const id = BigInt(p * 100 + i);
        const after = { id, a: `value ${id} `.repeat(1 + (i % 7)) };
        const event = { before: null, after, source: sourceBlock, transaction: null, op: 'c', ts_ms: null };
        return {
          offset: String(i),
          key: frame(2, keyType.toBuffer({ id })),
          value: frame(1, envelope.toBuffer(event)),
        };
      }),
    );
    const results = await Promise.all(batches.map((b) => transform.transform(b, VersionClock.from(null))));
    for (const [p, outcomes] of results.entries()) {
      for (const [i, outcome] of outcomes.entries()) {
        if (outcome.kind !== 'clean') throw new Error(outcome.kind);
        const row = clean.fromBuffer(outcome.value!.subarray(5)) as { id: bigint; a: Buffer };
        expect(row.id).toBe(BigInt(p * 100 + i));
        const use = keyUse('encrypt', dataset.table, dataset.columns[1]!.rule.classification);
        expect(decrypt(dataKey, use, associatedData(dataset.table, 'a'), row.a)).toBeDefined();
      }
    }
  });
});
