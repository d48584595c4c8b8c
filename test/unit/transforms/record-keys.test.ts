import { expect, test } from 'vitest';
import { VersionClock } from '../../../pipeline/version-clock.ts';
import { absentHeader } from '../../../schemas/record-headers.ts';
import { avroType } from '../../../schemas/registry.ts';
import { RecordKeys } from '../../../transforms/record-keys.ts';
import { createTableTransform } from '../../../transforms/table-transform.ts';
import { envelopeSchema, frame, type TestColumn, testDataset } from '../../support/raw-events.ts';
import { testCipher, testProtection } from '../../support/test-keys.ts';

const keyType = avroType({ type: 'record', name: 'Key', fields: [{ name: 'id', type: 'string' }] });
const rawKey = frame(2, keyType.toBuffer({ id: 'a|b' }));

test.each(['keep', 'hash'] as const)('a key is what the transform makes of it (%s)', async (action) => {
  const columns: TestColumn[] = [
    { name: 'id', typeName: 'text', nullable: false, rule: { classification: 'internal', action } },
  ];
  const dataset = testDataset(columns);
  const valueType = avroType(envelopeSchema(columns));
  const writerSchema = async (id: number) => (id === 1 ? valueType.schema() : keyType.schema()) as never;
  const protection = testProtection();
  const transform = createTableTransform({
    dataset,
    cleanSchemaId: 9,
    writerSchema,
    protection,
    cipher: testCipher,
    resolver: { read: async () => [] },
    placeholder: 'unavailable',
  });
  const gone = { offset: '1', key: rawKey, value: null, headers: { [absentHeader]: Buffer.from('1') } };
  const [outcome] = await transform.transform([gone], VersionClock.from(null));
  const keys = new RecordKeys(dataset, writerSchema, protection);
  expect(outcome).toMatchObject({ kind: 'clean', key: await keys.read(rawKey) });
  await expect(keys.read(Buffer.from('none'))).rejects.toMatchObject({ code: 'RECORD_MALFORMED' });
});
