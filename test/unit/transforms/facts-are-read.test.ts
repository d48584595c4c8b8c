import { expect, test } from 'vitest';
import { VersionClock } from '../../../pipeline/version-clock.ts';
import { avroType } from '../../../schemas/registry.ts';
import { createTableTransform } from '../../../transforms/table-transform.ts';
import { envelopeSchema, frame, type TestColumn, testDataset } from '../../support/raw-events.ts';
import { sharedKey, testCipher, testSubjectKey } from '../../support/test-keys.ts';

const placeholder = '__lethe_unavailable_test';
const classification = 'internal';
const column = (name: string, typeName: string, action: 'keep' | 'drop' | 'encrypt'): TestColumn => ({
  name,
  typeName,
  nullable: name !== 'id',
  rule: { classification, action },
});
const columns = [
  column('id', 'int8', 'keep'),
  column('owner', 'text', 'drop'),
  column('agreed', 'bool', 'drop'),
  column('note', 'text', 'encrypt'),
];
const schema = envelopeSchema(columns);
const keySchema = { type: 'record', name: 'Key', fields: [{ name: 'id', type: 'long' }] };

/** What the transform says of one row that others look up; `read` is what the source answers. */
async function outcomeOf(
  row: Record<string, unknown> | null,
  read: Map<string, string> | null = null,
  op = 'u',
) {
  const asked: string[][] = [];
  const transform = createTableTransform({
    dataset: testDataset(columns, { type: 'customer', key: 'owner' }, ['agreed', 'owner']),
    cleanSchemaId: 9,
    writerSchema: (id) => Promise.resolve((id === 1 ? schema : keySchema) as never),
    protection: {
      dataKeys: (_type, ids) => Promise.resolve(ids.map((id) => (id === 'erased' ? null : testSubjectKey()))),
      areSuppressed: (_type, ids) => Promise.resolve(ids.map((id) => id === 'erased')),
      sharedKey: (use) => Promise.resolve(sharedKey(use)),
    },
    cipher: testCipher,
    resolver: {
      read(_table, _key, names) {
        asked.push([...names]);
        return Promise.resolve([read && { values: read, writtenBy: 1n }]);
      },
    },
    placeholder,
  });
  const source = {
    version: '',
    ts_ms: 0n,
    snapshot: 'false',
    sequence: null,
    schema: '',
    table: '',
    txId: 1n,
    lsn: 9n,
  };
  const event = {
    before: null,
    after: row && { id: 7n, ...row },
    source,
    transaction: null,
    op,
    ts_ms: null,
  };
  const record = {
    offset: '0',
    key: frame(2, avroType(keySchema).toBuffer({ id: 7n })),
    value: frame(1, avroType(schema).toBuffer(event)),
  };
  const [outcome] = await transform.transform([record], VersionClock.from(null));
  return { outcome: outcome!, lookup: outcome!.lookup, asked };
}

test('facts are canonical texts, null where they are null', async () => {
  const { outcome, lookup } = await outcomeOf({ owner: 'anna', agreed: true, note: 'n' });
  expect(outcome.kind).toBe('clean');
  expect(lookup).toMatchObject({ key: '7', facts: { owner: 'anna', agreed: 'true' } });
  const none = await outcomeOf({ owner: 'anna', agreed: null, note: null });
  expect(none.lookup?.facts).toEqual({ owner: 'anna', agreed: null });
});

test('a row that fails, or whose subject was erased, is still looked up', async () => {
  const erased = await outcomeOf({ owner: 'erased', agreed: false, note: 'n' });
  expect(erased.outcome).toMatchObject({ kind: 'clean', value: null, erased: true });
  expect(erased.lookup?.facts).toEqual({ owner: 'erased', agreed: 'false' });
  const nobody = await outcomeOf({ owner: null, agreed: false, note: 'n' });
  expect(nobody.outcome).toMatchObject({ kind: 'failed', code: 'SUBJECT_MISSING' });
  expect(nobody.lookup?.facts).toEqual({ owner: null, agreed: 'false' });
});

test('a deleted row has none', async () => {
  const { outcome, lookup } = await outcomeOf(null, null, 'd');
  expect(outcome).toMatchObject({ kind: 'clean', value: null });
  expect(lookup).toMatchObject({ key: '7', facts: null });
});

test('an unchanged value out of line is read back; a row that is gone says nothing', async () => {
  const row = { owner: placeholder, agreed: true, note: 'n' };
  const read = await outcomeOf(row, new Map([['owner', 'anna']]));
  expect(read.asked).toEqual([['owner']]);
  expect(read.lookup?.facts).toEqual({ owner: 'anna', agreed: 'true' });
  const gone = await outcomeOf(row);
  expect(gone.lookup).toBeUndefined();
});

test('a subject is never taken from the stand-in of an unchanged value', async () => {
  const { outcome } = await outcomeOf({ owner: placeholder, agreed: true, note: 'n' });
  expect(outcome).toMatchObject({ kind: 'failed', code: 'VALUE_UNRESOLVED' });
});
