import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { associatedData, decrypt } from '../../../keys/ciphertext.ts';
import { VersionClock } from '../../../pipeline/version-clock.ts';
import { cleanAvroSchema } from '../../../schemas/clean-schema.ts';
import type { ColumnRule } from '../../../schemas/column-rule.ts';
import { LetheError } from '../../../schemas/errors.ts';
import { keyUse } from '../../../schemas/key-use.ts';
import { avroType } from '../../../schemas/registry.ts';
import { createTableTransform, type TransformParts } from '../../../transforms/table-transform.ts';
import type { FoundRow, RowToRead } from '../../../transforms/value-resolver.ts';
import { envelopeSchema, frame, type TestColumn, testDataset } from '../../support/raw-events.ts';
import { testCipher, testProtection, testSubjectKey } from '../../support/test-keys.ts';

const placeholder = '__lethe_unavailable_test';
const classification = 'person.address' as const;
const dataKey = testSubjectKey();
const sealedUse = keyUse('encrypt', 'public.t', classification);
const paths: ColumnRule = {
  classification,
  action: 'paths',
  paths: { city: { action: 'keep' }, 'at.lat': { action: 'keep' } },
};
const plain = { typeName: 'text', nullable: true, rule: { classification, action: 'keep' } } as const;
const columns: readonly TestColumn[] = [
  { ...plain, name: 'id', nullable: false },
  { ...plain, name: 'note' },
  { ...plain, name: 'owner', rule: { classification, action: 'drop' } },
  { name: 'address', typeName: 'address', typeKind: 'c', nullable: true, rule: paths },
  { name: 'must', typeName: 'address', typeKind: 'c', nullable: false, rule: paths },
  { name: 'sealed', typeName: '_numeric', nullable: true, rule: { classification, action: 'encrypt' } },
  {
    name: 'none',
    typeName: 'address',
    typeKind: 'c',
    nullable: true,
    rule: { classification, action: 'null' },
  },
];
const dataset = testDataset(columns, { type: 'customer', key: 'owner' });
const clean = avroType(cleanAvroSchema(dataset));
const keyType = avroType({ type: 'record', name: 'Key', fields: [{ name: 'id', type: 'string' }] });
const atSource = ['address', 'must', 'sealed'];

interface Row {
  readonly id: string;
  readonly note: string | null;
  /** Its id where nothing is said. */
  readonly owner?: string;
  readonly txId?: bigint;
}

/** Events as Debezium has them: without the columns that are read at the source. `liar` holds text under their names. */
async function outcomesOf(rows: readonly Row[], parts: Partial<TransformParts>, liar = false) {
  const written = liar
    ? columns.map((c) => (atSource.includes(c.name) ? { ...c, typeName: 'text', nullable: true } : c))
    : columns.filter(({ name }) => ['id', 'note', 'owner'].includes(name));
  const schema = envelopeSchema(written);
  const type = avroType(schema);
  const transform = createTableTransform({
    dataset,
    cleanSchemaId: 9,
    writerSchema: async (id) => (id === 1 ? schema : keyType.schema()) as never,
    protection: testProtection(dataKey),
    cipher: testCipher,
    resolver: { read: async () => [] },
    placeholder,
    ...parts,
  });
  const source = {
    version: '',
    ts_ms: 0n,
    snapshot: 'false',
    sequence: null,
    schema: '',
    table: '',
    lsn: 9n,
  };
  const records = rows.map(({ txId = 1n, ...row }, offset) => {
    const lies = liar
      ? Object.fromEntries([...atSource, 'none'].map((name) => [name, '{"city":"lie"}']))
      : {};
    const event = {
      before: null,
      after: { ...lies, owner: row.id, ...row },
      source: { ...source, txId },
      transaction: null,
      op: 'u',
      ts_ms: null,
    };
    return {
      offset: String(offset),
      key: frame(2, keyType.toBuffer({ id: row.id })),
      value: frame(1, type.toBuffer(event)),
    };
  });
  return transform.transform(records, VersionClock.from(null));
}

const foundOf = (values: Record<string, string | null>, writtenBy = 1n): FoundRow => ({
  values: new Map(Object.entries(values)),
  writtenBy,
});
const valuesOf = (address: string | null, must: string | null, sealed: string | null): FoundRow =>
  foundOf({ address, must, sealed });

function decoded(outcome: Awaited<ReturnType<typeof outcomesOf>>[number]): Record<string, unknown> | string {
  if (outcome.kind !== 'clean') return outcome.kind === 'failed' ? outcome.code : outcome.kind;
  const row = clean.fromBuffer(outcome.value!.subarray(5)) as Record<string, unknown>;
  const sealed = row['sealed'] as Buffer | null;
  const place = associatedData('public.t', 'sealed');
  return {
    ...row,
    sealed: sealed && avroType('string').fromBuffer(decrypt(dataKey, sealedUse, place, sealed)!),
  };
}

test('they are no columns of the publication, and the clean record has JSON of what the paths let pass', async () => {
  expect(dataset.published).toEqual(['id', 'note', 'owner']);
  const asked: unknown[] = [];
  const read: TransformParts['resolver']['read'] = async (...args) => {
    asked.push(args);
    return [
      valuesOf('{"city":"A","street":"s","at":{"lat":1.50,"lon":2}}', '{"city":null}', '[[1.0],[null]]'),
      valuesOf(null, '{}', null),
      null,
    ];
  };
  const rows = ['a', 'b', 'c'].map((id, i) => ({ id, note: null, txId: BigInt(i) }));
  const outcomes = await outcomesOf(rows, { resolver: { read } });
  expect(outcomes.map(decoded)).toEqual([
    {
      id: 'a',
      note: null,
      address: '{"city":"A","at":{"lat":1.50}}',
      must: '{"city":null}',
      sealed: '[[1.0],[null]]',
      none: null,
    },
    { id: 'b', note: null, address: null, must: '{}', sealed: null, none: null },
    'skipped',
  ]);
  expect(asked).toEqual([
    ['public.t', rows.map(({ id, txId }) => ({ key: [id], txId })), [...atSource, 'owner']],
  ]);
});

test('what an event holds under such a name is not looked at', async () => {
  const read = async () => [valuesOf('{"city":"true"}', '{}', null)];
  const [outcome] = await outcomesOf([{ id: 'a', note: 'n' }], { resolver: { read } }, true);
  expect(decoded(outcome!)).toMatchObject({
    address: '{"city":"true"}',
    must: '{}',
    sealed: null,
    none: null,
  });
});

test('a null where there was none, and a value that was not read, are dead letters', async () => {
  const read = async () => [valuesOf(null, null, null), foundOf({ address: null })];
  const outcomes = await outcomesOf(
    [
      { id: 'a', note: null },
      { id: 'b', note: null },
    ],
    { resolver: { read } },
  );
  expect(outcomes.map(decoded)).toEqual(['SCHEMA_UNEXPECTED', 'VALUE_UNRESOLVED']);
});

test('a column that is gone halts the table, one of another type makes dead letters', async () => {
  const row = [{ id: 'a', note: null }];
  const failing = (code: 'VALUE_UNRESOLVED' | 'SCHEMA_UNEXPECTED') => ({
    read: async () => {
      throw new LetheError(code, 'at the source');
    },
  });
  const asked: unknown[] = [];
  const onMissing = async (names: readonly string[]) => {
    asked.push(names);
    throw new LetheError('TABLE_HALTED', 'gone');
  };
  const halted = outcomesOf(row, { resolver: failing('VALUE_UNRESOLVED'), onMissing });
  await expect(halted).rejects.toMatchObject({ code: 'TABLE_HALTED' });
  expect(asked).toEqual([[...atSource, 'owner', 'id']]);
  const outcomes = await outcomesOf(row, { resolver: failing('SCHEMA_UNEXPECTED'), onMissing });
  expect(outcomes.map(decoded)).toEqual(['SCHEMA_UNEXPECTED']);
  expect(asked).toHaveLength(1);
});

test.each([
  ['clean', 'the same', 'a', 1n],
  ['clean', 'the same, after a later change', 'a', 2n],
  ['skipped', 'another one after a later change', 'b', 2n],
  ['skipped', 'another one after a change beyond the last 32-bit id', 'b', 0n, 0xffff_fffen],
  ['clean', 'another one, as far as its form goes, and no change was later', 'A', 1n],
  ['clean', 'not told', null, 2n],
])('a row is %s whose subject is now %s', async (kind, _what, subject, writtenBy, txId = 1n) => {
  const values = { address: null, must: '{}', sealed: null, ...(subject === null ? {} : { owner: subject }) };
  const read = async () => [foundOf(values, writtenBy)];
  const [outcome] = await outcomesOf([{ id: 'a', note: null, owner: 'a', txId }], { resolver: { read } });
  expect(outcome).toMatchObject({ kind });
});

test('every row gets its own values, whatever the batch holds', async () => {
  const ids = fc.constantFrom('a', 'b', 'c', 'gone', 'broken', 'ü|%', '');
  const note = fc.constantFrom(null, 'n', placeholder);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ id: ids, note }), { maxLength: 330 }), async (rows) => {
      const sizes: number[] = [];
      const valueOf = ({ key: [id] }: RowToRead, column: string): string | null =>
        column === 'id'
          ? id!
          : column === 'note'
            ? `read ${id}`
            : `{"city":${JSON.stringify(`${column} of ${id}`)},"x":1}`;
      const read = async (_table: string, asked: readonly RowToRead[], names: readonly string[]) => {
        sizes.push(asked.length);
        return asked.map((row): FoundRow | null => {
          if (row.key[0] === 'gone') return null;
          if (row.key[0] === 'broken') return foundOf({});
          return foundOf(Object.fromEntries(names.map((name) => [name, valueOf(row, name)])));
        });
      };
      const outcomes = await outcomesOf(rows, { resolver: { read } });
      expect(outcomes.map(decoded)).toEqual(
        rows.map((row) => {
          if (row.id === 'gone') return 'skipped';
          if (row.id === 'broken') return 'VALUE_UNRESOLVED';
          return {
            id: row.id,
            note: row.note === placeholder ? `read ${row.id}` : row.note,
            address: JSON.stringify({ city: `address of ${row.id}` }),
            must: JSON.stringify({ city: `must of ${row.id}` }),
            sealed: `{"city":${JSON.stringify(`sealed of ${row.id}`)},"x":1}`,
            none: null,
          };
        }),
      );
      // Not a query for each row, but for some that have the same needs.
      expect(sizes.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(rows.length + 2)));
    }),
    { numRuns: 30 },
  );
});
