import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { avroText, Decryptor } from '../../../client/decrypt.ts';
import { type HttpServer, type Posted, serveHttp } from '../../../console/http-server.ts';
import { associatedData, encrypt } from '../../../keys/ciphertext.ts';
import { keyUse } from '../../../schemas/key-use.ts';
import { avroType } from '../../../schemas/registry.ts';
import { testSubjectKey } from '../../support/test-keys.ts';

const place = { table: 'public.people', column: 'phone', classification: 'person.contact' };
const card = { table: 'public.people', column: 'card', classification: 'payment.card' };
const ada = testSubjectKey();
const bob = testSubjectKey(3);
const everybody = [ada, bob];

const valueOf = (key: typeof ada, { table, column, classification }: typeof place, text: string) =>
  encrypt(
    key,
    keyUse('encrypt', table, classification),
    associatedData(table, column),
    avroType('string').toBuffer(text),
  );

interface Wanted {
  readonly table: string;
  readonly classification: string;
  readonly keys: readonly { keyId: string; generation: number }[];
}

/** A server that leases what it is told to; the product's own is tested with a real key store. */
describe('a reader with leased subkeys', () => {
  let server: HttpServer;
  let now = 0;
  const asked: Wanted[] = [];
  const erased = new Set<string>();
  const subkeyOf = ({ table, classification }: Wanted, keyId: string): string | null => {
    const key = everybody.find((one) => one.keyId.toString('hex') === keyId);
    if (!key || erased.has(keyId)) return null;
    return key.subkey(keyUse('encrypt', table, classification)).toString('base64');
  };
  let answer: (posted: Posted) => readonly [number, unknown];

  beforeAll(async () => {
    const posts = { '/v1/keys/lease': async (posted: Posted) => answer(posted) };
    server = await serveHttp({ host: '127.0.0.1', port: 0 }, {}, posts);
  });
  afterAll(() => server.close());
  beforeEach(() => {
    asked.length = 0;
    erased.clear();
    answer = ({ body, token }) => {
      const wanted = body as Wanted;
      asked.push(wanted);
      if (token !== 'good' || wanted.classification !== place.classification) return [403, { error: {} }];
      return [200, { leaseMs: 1000, subkeys: wanted.keys.map(({ keyId }) => subkeyOf(wanted, keyId)) }];
    };
  });
  const reader = (token = 'good', url = server.url) => new Decryptor({ url, token, now: () => now });

  it('opens values, as bytes and as base64, and asks once for all keys', async () => {
    const long = 'x'.repeat(300);
    const values = [valueOf(ada, place, 'one'), valueOf(bob, place, long).toString('base64'), null];
    const opened = await reader().open(place, [...values, valueOf(ada, place, '')]);
    const texts = opened.map((one) => (one?.state === 'value' ? avroText(one.avro) : one));
    expect(texts).toEqual(['one', long, null, '']);
    expect(asked).toHaveLength(1);
    expect(asked[0]!.keys).toHaveLength(2);
  });

  it('shows an erased person as erased, in what the lease says at most', async () => {
    const own = reader();
    const value = valueOf(ada, place, 'one');
    expect(await own.open(place, [value])).toMatchObject([{ state: 'value' }]);
    erased.add(ada.keyId.toString('hex'));
    now += 999;
    expect(await own.open(place, [value])).toMatchObject([{ state: 'value' }]);
    now += 1;
    expect(await own.open(place, [value, valueOf(bob, place, 'two')])).toMatchObject([
      { state: 'erased' },
      { state: 'value' },
    ]);
  });

  it('cannot open another class, though it has subkeys of the same persons', async () => {
    const own = reader();
    await own.open(place, [valueOf(ada, place, 'phone')]);
    const number = valueOf(ada, card, '4111');
    expect(await own.open(card, [number])).toEqual([{ state: 'sealed' }]);
    // Said to be a phone number it is asked for with a subkey that does not fit.
    expect(await own.open({ ...card, classification: place.classification }, [number])).toEqual([
      { state: 'sealed' },
    ]);
  });

  it('cannot open what was moved to another column or table, changed, or is none', async () => {
    const value = valueOf(ada, place, 'one');
    const changed = Buffer.from(value);
    changed[changed.length - 1]! ^= 1;
    for (const [at, bytes] of [
      [{ ...place, column: 'fax' }, value],
      [{ ...place, table: 'public.others' }, value],
      [place, changed],
      [place, value.subarray(0, 48)],
      [place, randomBytes(80).fill(1, 0, 1)],
      [place, 'plain text'],
    ] as const) {
      expect(await reader().open(at, [bytes])).toEqual([{ state: 'sealed' }]);
    }
  });

  it.each([
    ['there is no right', () => reader('bad')],
    ['nobody answers', () => reader('good', 'http://127.0.0.1:9')],
    ['the address is none', () => reader('good', 'nowhere')],
  ])('says sealed, and throws nothing, where %s', async (_, own) => {
    expect(await own().open(place, [valueOf(ada, place, 'one'), null])).toEqual([{ state: 'sealed' }, null]);
  });

  it.each([
    [503, {}],
    [200, {}],
    [200, { leaseMs: 1, subkeys: ['AAAA'] }],
    [200, { leaseMs: 1, subkeys: [] }],
  ])('says sealed for the answer %s %j', async (status, body) => {
    answer = () => [status, body];
    expect(await reader().open(place, [valueOf(ada, place, 'one')])).toEqual([{ state: 'sealed' }]);
  });
});
