import { expect, it } from 'vitest';
import { VersionClock } from '../../../pipeline/version-clock.ts';
import { absentHeader, header } from '../../../schemas/record-headers.ts';
import { avroType } from '../../../schemas/registry.ts';
import { SourceKeys } from '../../../transforms/source-keys.ts';
import { createTableTransform } from '../../../transforms/table-transform.ts';
import { envelopeSchema, frame, type TestColumn, testDataset } from '../../support/raw-events.ts';
import { testCipher, testProtection } from '../../support/test-keys.ts';

const column = (name: string, action: 'keep' | 'hash'): TestColumn => ({
  name,
  typeName: 'text',
  nullable: name !== 'id',
  rule: { classification: 'internal', action },
});
const columns = [column('id', 'hash'), column('note', 'keep')];
const keyType = avroType({ type: 'record', name: 'Key', fields: [{ name: 'id', type: 'string' }] });
const valueType = avroType(envelopeSchema(columns));
const rawKey = frame(2, keyType.toBuffer({ id: 'a' }));

function transformOf(facts: readonly string[] = []) {
  return createTableTransform({
    dataset: testDataset(columns, undefined, facts),
    cleanSchemaId: 9,
    writerSchema: async (id) => (id === 1 ? valueType.schema() : keyType.schema()) as never,
    protection: testProtection(),
    cipher: testCipher,
    resolver: { read: async () => [] },
    placeholder: 'unavailable',
  });
}

function streamed(commit: bigint) {
  const source = {
    version: '3',
    ts_ms: 1n,
    snapshot: 'false',
    sequence: `["${commit}","${commit + 5n}"]`,
    schema: 'public',
    table: 't',
    txId: 5n,
    lsn: commit + 5n,
  };
  const event = {
    before: null,
    after: { id: 'a', note: 'n' },
    source,
    transaction: null,
    op: 'u',
    ts_ms: null,
  };
  return { offset: '1', key: rawKey, value: frame(1, valueType.toBuffer(event)) };
}

const mark = {
  offset: '2',
  key: rawKey,
  value: null,
  headers: { [absentHeader]: Buffer.from('1767225600123') },
};

it('the mark of an absent row becomes a delete between what was streamed before it and after it', async () => {
  const outcomes = await transformOf().transform(
    [streamed(100n), mark, streamed(200n)],
    VersionClock.from(null),
  );
  expect(outcomes.map(({ kind }) => kind)).toEqual(['clean', 'clean', 'clean']);
  const [before, absent, after] = outcomes as {
    key: string;
    value: unknown;
    headers: Record<string, string>;
  }[];
  expect(absent).toMatchObject({
    key: before!.key,
    value: null,
    headers: { [header.op]: 'd', [header.commitMs]: '1767225600123' },
  });
  expect(absent!.headers[header.version]! > before!.headers[header.version]!).toBe(true);
  expect(absent!.headers[header.version]! < after!.headers[header.version]!).toBe(true);
});

it('whoever looks the row up learns that it is gone', async () => {
  const [outcome] = await transformOf(['note']).transform([mark], VersionClock.from(null));
  expect(outcome).toMatchObject({ kind: 'clean', lookup: { key: 'a', facts: null } });
});

it('any other record without a value is passed over', async () => {
  const tombstone = { offset: '1', key: rawKey, value: null };
  const roll = { offset: '2', key: null, value: null, headers: mark.headers };
  expect(await transformOf().transform([tombstone, roll], VersionClock.from(null))).toEqual([
    { kind: 'skipped', reason: 'tombstone' },
    { kind: 'skipped', reason: 'tombstone' },
  ]);
});

it('the key of a raw record is read as it is at the source, whatever the contract makes of it', async () => {
  const keys = new SourceKeys(testDataset(columns), async () => keyType.schema() as never);
  expect(await keys.read(rawKey)).toEqual(['a']);
  await expect(keys.read(Buffer.from('no frame'))).rejects.toMatchObject({ code: 'RECORD_MALFORMED' });
  await expect(keys.read(rawKey.subarray(0, 6))).rejects.toMatchObject({ code: 'RECORD_MALFORMED' });
});
