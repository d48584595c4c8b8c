import { assert, option, property, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommittedRecord } from '../../../pipeline/committed-reader.ts';
import { deadLetter, splitPayload } from '../../../pipeline/dead-letters.ts';
import { letterId, readOpenLetters, readSealed } from '../../../pipeline/open-letters.ts';

const open = { seal: async (payload: Buffer) => ({ sealed: payload, keyId: 'k' }) };
const origin = {
  table: 'public.t',
  topic: 'raw',
  partition: 3,
  code: 'RECORD_MALFORMED',
  stage: 'transform',
} as const;
const place = { table: 'public.t', topic: 'dead' };

/** A topic of dead letters, in fetches of two records. */
async function topicOf(steps: readonly { offset: string; stage?: string; settled?: true }[]) {
  const records: CommittedRecord[] = [];
  for (const [i, { offset, stage, settled }] of steps.entries()) {
    const from = { ...origin, offset, ...(stage === undefined ? {} : { stage }) };
    const { key, value, headers } = await deadLetter(from, null, Buffer.from(offset), open, 'dead');
    const own = settled
      ? { value: null, headers: new Map() }
      : { value, headers: new Map(Object.entries(headers)) };
    records.push({ offset: BigInt(i), key, timestampMs: 1_000 + i, ...own });
  }
  return {
    async *read(_topic: string, _partition: number, from = 0n) {
      const wanted = records.filter((record) => record.offset >= from);
      for (let i = 0; i < wanted.length; i += 2) yield wanted.slice(i, i + 2);
    },
  };
}

describe('a payload', () => {
  it('gives key and value back', async () => {
    const bytes = option(uint8Array({ minLength: 1, maxLength: 40 }), { nil: null });
    const buffer = (array: Uint8Array | null) => array && Buffer.from(array);
    assert(
      property(bytes, bytes, (key, value) => {
        const made: Buffer[] = [];
        const sealer = {
          seal: async (payload: Buffer) => (made.push(payload), { sealed: payload, keyId: '' }),
        };
        void deadLetter({ ...origin, offset: '1' }, buffer(key), buffer(value), sealer, 'dead');
        expect(splitPayload(made[0]!)).toEqual({ key: buffer(key), value: buffer(value) });
      }),
    );
  });

  it.each(['', '00', 'fffffffe', '0000000401'])('that is none is none: %s', (hex) => {
    expect(splitPayload(Buffer.from(hex, 'hex'))).toBeUndefined();
  });
});

describe('letters', () => {
  it('are open until they are settled, each stage for itself, and once however often they came', async () => {
    const topic = await topicOf([
      { offset: '1' },
      { offset: '1', stage: 'clickhouse' },
      { offset: '1', stage: 'elasticsearch' },
      { offset: '2' },
      { offset: '2' },
      { offset: '1', stage: 'clickhouse', settled: true },
      { offset: '9', settled: true },
      { offset: '3', settled: true },
      { offset: '3' },
    ]);
    const letters = await readOpenLetters(topic, [place]);
    expect(letters.map(letterId)).toEqual([
      'public.t/transform/3/1',
      'public.t/elasticsearch/3/1',
      'public.t/transform/3/2',
      'public.t/transform/3/3',
    ]);
    expect(letters.map(({ at, timeMs }) => [at, timeMs])).toEqual([
      [0n, 1_000],
      [2n, 1_002],
      [4n, 1_004],
      [8n, 1_008],
    ]);
  });

  it('are read with their payloads by where they stand, those alone that are asked for', async () => {
    const topic = await topicOf([{ offset: '1' }, { offset: '2' }, { offset: '3' }, { offset: '4' }]);
    const letters = await readOpenLetters(topic, [place]);
    const found: string[] = [];
    for await (const part of readSealed(topic, [letters[3]!, letters[1]!])) {
      for (const { letter, sealed } of part)
        found.push(`${letter.offset} ${splitPayload(sealed)!.value!.toString()}`);
    }
    expect(found).toEqual(['2 2', '4 4']);
  });
});
