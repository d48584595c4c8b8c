import { describe, expect, it } from 'vitest';
import { erased, sealed, ValueOpener } from '../../../cli/export/open-values.ts';
import { associatedData, encrypt } from '../../../keys/ciphertext.ts';
import { plainType } from '../../../schemas/clean-schema.ts';
import { keyUse } from '../../../schemas/key-use.ts';
import { avroType } from '../../../schemas/registry.ts';
import { testDataset } from '../../support/sink-datasets.ts';
import { testSubjectKey } from '../../support/test-keys.ts';

const table = 'public.people';
const classification = 'person.contact';
const encryption = { classification, action: 'encrypt' } as const;
const base = testDataset(
  table,
  ['id'],
  [
    { name: 'id', type: 'int4' },
    { name: 'email', type: 'text', action: encryption },
    { name: 'visits', type: 'int8', action: encryption },
    { name: 'born', type: 'date', action: encryption },
    { name: 'seen', type: 'timestamp', action: encryption },
    { name: 'photo', type: 'bytea', action: encryption },
    { name: 'tags', type: '_text', action: encryption },
    {
      name: 'prefs',
      type: 'jsonb',
      action: {
        classification,
        action: 'paths',
        paths: { phone: { action: 'encrypt' }, 'seen[]': { action: 'encrypt' }, theme: { action: 'keep' } },
      },
    },
  ],
);
const key = testSubjectKey(3);
const opener = (known = true) =>
  new ValueOpener({ keyById: async (id) => (known && id.equals(key.keyId) ? key : null) }, base);

/** As the transform writes it, in base64 as stores have it. */
function ciphertext(column: string, value: unknown, place = column): string {
  const found = base.columns.find(({ name }) => name === column)!;
  const plain = avroType(plainType(found)).toBuffer(value);
  return encrypt(key, keyUse('encrypt', table, classification), associatedData(table, place), plain).toString(
    'base64',
  );
}

function withinPath(path: string, json: string): string {
  const place = associatedData(table, `prefs#${path}`);
  return encrypt(key, keyUse('encrypt', table, classification), place, Buffer.from(json)).toString('base64');
}

describe('what a store has of a person', () => {
  it('is opened, every kind as the source writes it', async () => {
    const one = opener();
    const row = {
      id: '1',
      email: ciphertext('email', 'a@b.example'),
      visits: ciphertext('visits', 9_007_199_254_740_993n),
      born: ciphertext('born', 33),
      seen: ciphertext('seen', 1_000_001n),
      photo: ciphertext('photo', Buffer.from([1, 2])),
      tags: ciphertext('tags', ['x', null]),
      prefs: null,
      stray: 'left',
    };
    expect(await one.open(row)).toEqual({
      id: '1',
      email: 'a@b.example',
      visits: '9007199254740993',
      born: '1970-02-03',
      seen: '1970-01-01T00:00:01.000001',
      photo: 'AQI=',
      tags: ['x', null],
      prefs: null,
      stray: 'left',
    });
    expect(one.counts).toEqual({ decrypted: 6, erased: 0, sealed: 0 });
  });

  it.each(['text', 'object'])('is opened within a path map, which a store has as %s', async (form) => {
    const one = opener();
    const prefs = {
      phone: withinPath('phone', '"0049"'),
      seen: [withinPath('seen[]', '7'), withinPath('seen[]', '{"a":1}')],
      theme: 'dark',
    };
    const opened = await one.open({ prefs: form === 'text' ? JSON.stringify(prefs) : prefs });
    expect(opened['prefs']).toEqual({ phone: '0049', seen: [7, { a: 1 }], theme: 'dark' });
    expect(one.counts.decrypted).toBe(3);
  });

  it('says of what has no key that it is erased, and of what is no such value that it is sealed', async () => {
    const gone = opener(false);
    expect((await gone.open({ email: ciphertext('email', 'x') }))['email']).toEqual(erased);
    expect(gone.counts).toEqual({ decrypted: 0, erased: 1, sealed: 0 });
    const moved = opener();
    expect(await moved.open({ email: ciphertext('email', 'x', 'visits'), visits: 'no ciphertext' })).toEqual({
      email: sealed,
      visits: sealed,
    });
  });
});
