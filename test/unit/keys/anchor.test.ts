import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Anchor, checkAnchor, sealAnchor } from '../../../keys/audit/anchor.ts';

const key = randomBytes(32);
const anchor: Anchor = { store: 'a-store', seq: '7', head: 'ab12', erased: 3 };
const text = sealAnchor(anchor, key);

/** A key store whose audit is so. */
const clientOf = (found: object | undefined) =>
  ({ query: async () => ({ rows: found ? [found] : [] }) }) as unknown as Parameters<typeof checkAnchor>[0];
const whole = { store: 'a-store', last: '9', head: 'ab12' };

describe('an anchor', () => {
  it('holds a key store whose audit goes on from it', async () => {
    await checkAnchor(clientOf(whole), text, key);
  });

  it.each([
    ['has another entry there', { ...whole, head: 'ab13' }, text, /is not the one that is noted/],
    ['ends before it', { ...whole, last: '6', head: null }, text, /ends at entry 6, before entry 7/],
    ['is another key store', { ...whole, store: 'another' }, text, /another key store/],
    ['has none', undefined, text, /another key store/],
    ['was noted with another key', whole, sealAnchor(anchor, randomBytes(32)), /not noted with its own key/],
    ['was noted, and less erased there', whole, text.replace('"erased":3', '"erased":2'), /not noted with/],
    ['was noted, and changed there', whole, text.replace('"7"', '"8"'), /not noted with its own key/],
    ['was noted as something else', whole, '{"store":"a-store"}', /no anchor/],
    ['was noted as no JSON', whole, 'ab12', /no anchor/],
  ])('refuses one that %s', async (_what, found, noted, why) => {
    await expect(checkAnchor(clientOf(found), noted, key)).rejects.toMatchObject({
      code: 'KEY_STORE_INVALID',
      message: expect.stringMatching(why),
    });
  });
});
