import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { isAbortMarker, recordBatches, recordsOf } from '../../../verify/kafka/record-batch.ts';

const varint = (n: number): Buffer => {
  let rest = n < 0 ? -2 * n - 1 : 2 * n;
  const out: number[] = [];
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) + 128);
  return Buffer.from([...out, rest]);
};
const sized = (bytes: Buffer | null): Buffer =>
  bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes]);

interface TestRecord {
  key: string | null;
  value: string | null;
  headers?: [string, string | null][];
}

function record(place: number, { key, value, headers = [] }: TestRecord): Buffer {
  const text = (t: string | null): Buffer => sized(t === null ? null : Buffer.from(t));
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(-5),
    varint(place),
    text(key),
    text(value),
    varint(headers.length),
    ...headers.flatMap(([name, content]) => [text(name), text(content)]),
  ]);
  return Buffer.concat([varint(body.length), body]);
}

/** A batch by the format's description; the checksum is left zero, as readers here do not need it. */
function batch(base: bigint, records: TestRecord[], attributes = 0, payload?: Buffer): Buffer {
  const plain = payload ?? Buffer.concat(records.map((one, place) => record(place, one)));
  const packed = (attributes & 7) === 1 ? gzipSync(plain) : plain;
  const head = Buffer.alloc(61);
  head.writeBigInt64BE(base, 0);
  head.writeInt32BE(49 + packed.length, 8);
  head[16] = 2;
  head.writeInt16BE(attributes, 21);
  head.writeInt32BE(records.length - 1, 23);
  head.writeBigInt64BE(77n, 43);
  head.writeInt32BE(records.length, 57);
  return Buffer.concat([head, packed]);
}

const rows: TestRecord[] = [
  {
    key: 'a',
    value: 'first',
    headers: [
      ['lethe-op', 'c'],
      ['empty', null],
    ],
  },
  { key: null, value: null },
];

test.each([0, 1])('records of a batch with codec %i, their headers, and what is null', (codec) => {
  const [one] = [...recordBatches(batch(9_007_199_254_740_993n, rows, codec))];
  expect(one).toMatchObject({ lastOffset: 9_007_199_254_740_994n, codec, producerId: 77n, control: false });
  const records = recordsOf(one!);
  expect(records).toEqual([
    {
      offset: 9_007_199_254_740_993n,
      key: Buffer.from('a'),
      value: Buffer.from('first'),
      headers: [
        { key: Buffer.from('lethe-op'), value: Buffer.from('c') },
        { key: Buffer.from('empty'), value: null },
      ],
    },
    { offset: 9_007_199_254_740_994n, key: null, value: null, headers: [] },
  ]);
});

test('the walk ends before a torn batch, zeros, or an old format, and says where', () => {
  const whole = batch(0n, rows);
  const old = Buffer.from(whole);
  old[16] = 1;
  for (const rest of [whole.subarray(0, whole.length - 1), whole.subarray(0, 20), Buffer.alloc(200), old]) {
    const found = [...recordBatches(Buffer.concat([whole, rest]))];
    expect(found).toHaveLength(1);
    expect(found[0]!.end).toBe(whole.length);
  }
});

test('abort and commit markers are told apart', () => {
  const marker = (type: number): Buffer => {
    const key = Buffer.from([0, 0, 0, type]).toString('latin1');
    return batch(0n, [{ key, value: 'x' }], 0x30);
  };
  const [abort] = [...recordBatches(marker(0))];
  const [commit] = [...recordBatches(marker(1))];
  expect([abort!.control, abort!.transactional]).toEqual([true, true]);
  expect([isAbortMarker(abort!), isAbortMarker(commit!)]).toEqual([true, false]);
});

test('records that are shorter than they say are an error, not an end', () => {
  const [broken] = [...recordBatches(batch(0n, rows, 0, record(0, rows[0]!)))];
  expect(() => recordsOf(broken!)).toThrow('shorter than it says');
});
