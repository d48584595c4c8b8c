import { mkdtemp, open, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Matcher } from '../../../verify/matcher.ts';
import { fileChunks, filesBelow, readEveryFile } from '../../../verify/places/files.ts';
import { framesOf } from '../../../verify/places/lucene-dump.ts';
import { Search } from '../../../verify/scan.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verify-files-'));
});

afterEach(() => rm(folder, { recursive: true }));

const search = (): Search => new Search('test', [], new Matcher([]));

test('a file that is renamed while the others are read is not missed', async () => {
  for (const name of ['a', 'b', 'c']) await writeFile(join(folder, name), name);
  const read: string[] = [];
  const found = search();
  await readEveryFile(found, [folder], async ({ path }) => {
    // As a broker does with a segment: the listing was made before.
    if (read.length === 0) {
      for (const name of ['a', 'b', 'c'].filter((other) => other !== basename(path))) {
        await rename(join(folder, name), join(folder, `${name}.deleted`));
      }
    }
    if (read.length === 0 || path.endsWith('.deleted')) read.push(basename(path));
    else throw Object.assign(new Error('gone'), { code: 'ENOENT' });
  });
  expect(new Set(read.map((name) => name[0]))).toEqual(new Set(['a', 'b', 'c']));
  expect(found.report()).toMatchObject({ files: 3, problems: [] });
});

test('a file that cannot be read is a problem, by its path', async () => {
  await writeFile(join(folder, 'a'), 'a');
  const found = search();
  await readEveryFile(found, [folder, join(folder, 'absent')], () =>
    Promise.reject(Object.assign(new Error('a value stands in this text'), { code: 'EACCES' })),
  );
  expect(found.report().problems).toEqual([
    `${join(folder, 'absent')} holds no file that can be read from here`,
    `${join(folder, 'a')} cannot be read (Error EACCES)`,
  ]);
});

async function sparseFile(name: string): Promise<string> {
  const path = join(folder, name);
  const file = await open(path, 'w');
  await file.truncate(64 << 20);
  await file.write(Buffer.from('first'), 0, 5, 10);
  await file.write(Buffer.from('last'), 0, 4, (40 << 20) + 7);
  await file.sync();
  await file.close();
  return path;
}

async function readAll(path: string): Promise<Buffer> {
  const read: Buffer[] = [];
  for await (const chunk of fileChunks(path)) read.push(chunk);
  return Buffer.concat(read);
}

test("a broker's preallocated index is read to the last of its written blocks, wherever they are", async () => {
  const bytes = await readAll(await sparseFile('00000000000000000000.index'));
  expect(bytes.subarray(10, 15).toString()).toBe('first');
  expect(bytes.subarray((40 << 20) + 7, (40 << 20) + 11).toString()).toBe('last');
});

test('every other file is read whole, holes or not', async () => {
  expect(await readAll(await sparseFile('00000000000000000000.log'))).toHaveLength(64 << 20);
});

test('links are not followed', async () => {
  await writeFile(join(folder, 'a'), 'a');
  await symlink('/', join(folder, 'root'));
  const paths: string[] = [];
  for await (const file of filesBelow(folder)) paths.push(basename(file.path));
  expect(paths).toEqual(['a']);
});

test('frames are put together from pieces of any size; a broken-off stream is an error', async () => {
  const bytes = Buffer.concat([
    Buffer.from('L\0\0\0\u0004name'),
    Buffer.from('V\0\0\0\0'),
    Buffer.from('V\0\0\0\u0003abc'),
  ]);
  async function* pieces(size: number, end = bytes.length): AsyncGenerator<Buffer> {
    for (let at = 0; at < end; at += size) yield bytes.subarray(at, Math.min(at + size, end));
  }
  for (const size of [1, 2, 7, 100]) {
    const frames: string[] = [];
    for await (const { kind, bytes: content } of framesOf(pieces(size)))
      frames.push(`${kind}:${content.toString()}`);
    expect(frames).toEqual(['L:name', 'V:', 'V:abc']);
  }
  const brokenOff = async (): Promise<void> => {
    for await (const frame of framesOf(pieces(4, bytes.length - 1))) expect(frame.kind).toMatch(/[LV]/);
  };
  await expect(brokenOff()).rejects.toThrow('broke off');
});
