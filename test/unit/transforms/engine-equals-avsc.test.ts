import { createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { associatedData, ciphertextOverhead, decrypt, encryptInto } from '../../../keys/ciphertext.ts';
import { VersionClock } from '../../../pipeline/version-clock.ts';
import { cleanAvroSchema } from '../../../schemas/clean-schema.ts';
import type { ColumnRule } from '../../../schemas/contract.ts';
import { type Dataset, cleanKind } from '../../../schemas/dataset.ts';
import { valueKind } from '../../../schemas/value-kind.ts';
import { civilFromDays, daysFromCivil } from '../../../verify/rules/calendar.ts';
import { coarseText } from '../../../verify/rules/coarse.ts';
import { avroType } from '../../../schemas/registry.ts';
import { createTableTransform } from '../../../transforms/table-transform.ts';
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
];

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
      const fits = rule && cleanKind(rule, kind) ? rule : rules[0];
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
function value(typeName: string): fc.Arbitrary<unknown> {
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
      Object.fromEntries(
        all.map((c) => [c.name, c.nullable ? fc.option(value(c.typeName)) : value(c.typeName)]),
      ),
    );
    return fc.record({ columns: fc.constant(all), rows: fc.array(row, { minLength: 1, maxLength: 3 }) });
  });

const secret = randomBytes(32);
const dataKey = { keyId: randomBytes(16), generation: 3, key: createSecretKey(randomBytes(32)) };
const pseudonymKey = (scope: string): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `lethe/pseudonym/v1/${scope}`, 32)));

function makeTransform(dataset: Dataset, schema: unknown) {
  return createTableTransform({
    dataset,
    cleanSchemaId: 9,
    writerSchema: async (id) =>
      (id === 1 ? schema : { type: 'record', name: 'Key', fields: [{ name: 'id', type: 'long' }] }) as never,
    protection: {
      dataKeys: async (_t, ids) => ids.map(() => dataKey),
      pseudonymKey: async (s) => pseudonymKey(s),
    },
    cipher: { overhead: ciphertextOverhead, encryptInto, associatedData },
    resolver: { read: async () => null },
    placeholder,
  });
}

/** Decode, act, encode: the obvious way, on decoded values and sharing nothing with the engine but the crypto's primitives. */
function expected(
  dataset: Dataset,
  columns: readonly TestColumn[],
  row: Record<string, unknown>,
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const c of columns) {
    if (!c.rule || c.rule.action === 'drop') continue;
    const v = (c.typeName === 'numeric' ? special.get(row[c.name]) : undefined) ?? row[c.name];
    if (v === null || c.rule.action === 'null') out[c.name] = null;
    else if (c.rule.action === 'keep') out[c.name] = v;
    else if (c.rule.action === 'mask') {
      const points = Array.from(v as string);
      out[c.name] = points.length <= 3 ? '****' : `${points[0]}****${points.slice(-2).join('')}`;
    } else if (c.rule.action === 'truncate') {
      out[c.name] = Array.from(v as string)
        .filter((_, i) => i < 3)
        .join('');
    } else if (c.rule.action === 'generalise') {
      out[c.name] = coarse(c.typeName, v, c.rule.to);
    } else if (c.rule.action === 'hash') {
      const scope = c.rule.domain ? `domain/${c.rule.domain}` : `column/${dataset.table}/${c.name}`;
      let text = typeof v === 'string' ? v : (v as number | bigint).toString();
      if (c.typeName === 'date') text = new Date((v as number) * 86_400_000).toISOString().replace(/T.*/, '');
      out[c.name] = createHmac('sha256', pseudonymKey(scope)).update(text).digest('base64url');
    } else out[c.name] = v;
  }
  return out;
}

/** By the rules of the oracle, which share nothing with the engine. */
function coarse(typeName: string, v: unknown, to: string | number): unknown {
  const start = (days: number) => {
    const { year, month } = civilFromDays(days);
    return daysFromCivil(year, to === 'year' ? 1 : month, 1);
  };
  switch (typeName) {
    case 'date':
      return start(v as number);
    case 'timestamp': {
      const day = 86_400_000_000n;
      const days = ((v as bigint) + 2n ** 80n * day) / day - 2n ** 80n;
      const micros = (to === 'day' ? days : BigInt(start(Number(days)))) * day;
      return micros < -(2n ** 63n) ? -(2n ** 63n) : micros;
    }
    case 'timestamptz': {
      const text = v as string;
      const fraction = text.length > 20 ? `.${'0'.repeat(text.length - 21)}` : '';
      const rest = { year: '-01-01', month: '-01', day: '' }[to as 'year' | 'month' | 'day'];
      return `${text.slice(0, 10 - rest.length)}${rest}T00:00:00${fraction}Z`;
    }
    default: {
      const text = coarseText('decimal', String(v), to);
      return typeName === 'numeric' ? text : typeName === 'int8' ? BigInt(text) : Number(text);
    }
  }
}

/** Debezium's words for what Postgres calls otherwise. */
const special = new Map<unknown, string>([
  ['NAN', 'NaN'],
  ['POSITIVE_INFINITY', 'Infinity'],
  ['NEGATIVE_INFINITY', '-Infinity'],
]);

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
          const want = expected(dataset, columns, rows[i]!);
          const decoded = clean.fromBuffer(body) as Record<string, unknown>;
          for (const c of dataset.columns) {
            if (c.rule.action !== 'encrypt' || decoded[c.name] === null) continue;
            const plain = decrypt(
              dataKey.key,
              associatedData(dataset.table, c.name, 'customer', String(rows[i]!['id'])),
              decoded[c.name] as Buffer,
            );
            const type = avroType(rawAvroType(columns.find((t) => t.name === c.name)!.typeName));
            expect(
              plain &&
                type.compare(
                  type.fromBuffer(plain),
                  (c.source === 'decimal' ? special.get(rows[i]![c.name]) : undefined) ?? rows[i]![c.name],
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
      { numRuns: 3_000 },
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
        const aad = associatedData(dataset.table, 'a', 'customer', String(row.id));
        expect(decrypt(dataKey.key, aad, row.a)).toBeDefined();
      }
    }
  });
});
