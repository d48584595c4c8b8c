import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decompressRecords } from '../../../verify/codecs/decompress.ts';
import { decodeLz4Block, decodeLz4Frame } from '../../../verify/codecs/lz4.ts';
import { decodeSnappy } from '../../../verify/codecs/snappy.ts';
import { decodeBlock } from '../../../verify/places/clickhouse-files.ts';

// Written by hand from the formats' descriptions. Real servers' own output is read in the stack tests.
const lz4 = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

test('an LZ4 block: literals, a match that overlaps itself, lengths beyond fifteen', () => {
  // Literals "abc", a match of 3+15+2 at distance 3, then the literals "!".
  const block = lz4('3f 616263 0300 01 10 21');
  const out = Buffer.alloc(64);
  const length = decodeLz4Block(block, out);
  expect(out.subarray(0, length).toString()).toBe(`${'abc'.repeat(8).slice(0, 3 + 20)}!`);
});

test.each([
  ['a match before the start', '10 61 0200'],
  ['a distance of zero', '10 61 0000 10 61'],
  ['literals that are not there', '50 6162'],
  ['a length without an end', 'f0 ff'],
])('an LZ4 block with %s is malformed', (_what, hex) => {
  expect(() => decodeLz4Block(lz4(hex), Buffer.alloc(64))).toThrow('malformed');
});

test('an LZ4 frame: a packed block, one as it is, and a linked one that reaches back', () => {
  const frame = lz4(
    '04224d18 40 40 00  07000000 20 6162 0100 10 63  02000080 6465  05000000 00 0500 10 21 00000000',
  );
  // "ab" + "bbbb" + "c", "de", then a match of four at distance five ("bbcd") and "!".
  const broken = (): Buffer => decodeLz4Frame(frame);
  expect(broken().toString()).toBe('abbbbbcdebbcd!');
  expect(() => decodeLz4Frame(Buffer.from('not a frame at all'))).toThrow('malformed');
});

test('snappy: a raw block with literals and copies of each kind, and snappy-java framing', () => {
  // "abcd", a copy of 4 at 4 (one-byte offset), a copy of 3 at 8 (two bytes), a copy of 2 at 1 (four bytes).
  const raw = lz4('0d 0c 61626364 01 04 0a 0800 07 01000000');
  const text = `${'abcd'.repeat(2)}abccc`;
  expect(decodeSnappy(raw).toString()).toBe(text);
  const size = Buffer.alloc(4);
  size.writeInt32BE(raw.length);
  const framed = Buffer.concat([lz4('82534e4150505900 00000001 00000001'), size, raw, size, raw]);
  expect(decodeSnappy(framed).toString()).toBe(text + text);
  expect(() => decodeSnappy(lz4('05 0c 6162'))).toThrow('malformed');
  expect(() => decodeSnappy(lz4('04 00 61 01 09'))).toThrow('malformed');
});

test('codecs go by their numbers in a batch, and an unknown one is refused', () => {
  expect(decompressRecords(0, Buffer.from('x')).toString()).toBe('x');
  expect(decompressRecords(1, gzipSync('packed')).toString()).toBe('packed');
  // A zstd frame of one raw block.
  expect(decompressRecords(4, lz4('28b52ffd 20 03 190000 616263')).toString()).toBe('abc');
  expect(() => decompressRecords(7, Buffer.alloc(1))).toThrow('unknown codec 7');
});

test('ClickHouse blocks: as they are, LZ4, ZSTD, several codecs in turn, numbers', () => {
  const block = (method: number, size: number, content: Buffer): Buffer => {
    const head = Buffer.alloc(9);
    head[0] = method;
    head.writeUInt32LE(9 + content.length, 1);
    head.writeUInt32LE(size, 5);
    return Buffer.concat([head, content]);
  };
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
  expect(text(decodeBlock(block(0x02, 3, Buffer.from('abc'))))).toBe('abc');
  expect(text(decodeBlock(block(0x82, 7, lz4('20 6162 0100 10 63'))))).toBe('abbbbbc');
  expect(text(decodeBlock(block(0x90, 3, lz4('28b52ffd 20 03 190000 616263'))))).toBe('abc');
  const inner = block(0x02, 3, Buffer.from('abc'));
  const outer = block(0x82, inner.length, Buffer.concat([Buffer.from([inner.length << 4]), inner]));
  const several = Buffer.concat([Buffer.from([2, 0x02, 0x82]), outer]);
  expect(text(decodeBlock(block(0x91, 3, several)))).toBe('abc');
  expect(text(decodeBlock(block(0x92, 3, Buffer.from('123'))))).toBe('123');
  expect(() => decodeBlock(block(0x96, 3, Buffer.from('abc')))).toThrow('unknown method 0x96');
});
