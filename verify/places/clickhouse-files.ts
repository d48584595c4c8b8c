import { decodeLz4Block } from '../codecs/lz4.ts';
import { zstd } from '../codecs/decompress.ts';
import type { Place, Search } from '../scan.ts';
import { askText, type Endpoint } from '../http.ts';
import { reasonOf } from '../verify-error.ts';
import { fileChunks, readEveryFile, searchFile } from './files.ts';

/** Files made of compressed blocks: columns, primary indexes, marks. */
const blockFile = /\.(bin|cidx|cmrk|cmrk2|cmrk3|cmrk4)$/;
const checksumBytes = 16;
const headerBytes = 9;
const methods = { none: 0x02, lz4: 0x82, zstd: 0x90, multiple: 0x91 } as const;
/** Encodings of numbers (Delta, T64, DoubleDelta, Gorilla, FPC, GCD): they hold no run of a text. */
const numeric: ReadonlySet<number> = new Set([0x92, 0x93, 0x94, 0x95, 0x98, 0x9a]);

/**
 * Every file on ClickHouse's disks (it says itself where they are; it must run on this machine) as bytes, inactive, detached and temporary parts and the definitions of
 * tables too; and the compressed blocks of columns as what is in them. `within`: only files whose path it takes.
 */
export function clickhouseFilesPlace(
  endpoint: Endpoint,
  within: (path: string) => boolean = () => true,
): Place {
  return {
    name: 'clickhouse files',
    search: async (search) => {
      const disks = await askText(endpoint, 'ClickHouse', {
        method: 'POST',
        path: '/',
        body: 'SELECT path FROM system.disks FORMAT TSVRaw',
        contentType: 'text/plain',
      });
      await readEveryFile(search, disks.split('\n').filter(Boolean), async ({ path }) => {
        if (!within(path)) return;
        await searchFile(search, path);
        if (blockFile.test(path)) await searchBlocks(search, path);
      });
    },
  };
}

/** Each block: checksum (16), method (1), size with this header (4), size of its content (4), content. */
async function searchBlocks(search: Search, path: string): Promise<void> {
  const stream = search.stream(`${path} (decompressed)`);
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of fileChunks(path)) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    for (;;) {
      if (held.length < checksumBytes + headerBytes) break;
      const size = held.readUInt32LE(checksumBytes + 1);
      const end = checksumBytes + size;
      if (size < headerBytes || size > 1 << 30) {
        search.problem(`${path} is not made of compressed blocks`);
        return;
      }
      if (held.length < end) break;
      const block = held.subarray(checksumBytes, end);
      held = held.subarray(end);
      search.records();
      try {
        stream.write(decodeBlock(block));
      } catch (error) {
        search.problem(`${path} holds a block that cannot be decompressed (${reasonOf(error)})`);
      }
    }
  }
  // A part that is being written ends in the middle of a block; its folder is named so.
  if (held.length > 0 && !path.includes('/tmp_')) search.problem(`${path} ends within a block`);
}

/** The content of a block with its nine-byte header. */
export function decodeBlock(block: Buffer): Uint8Array {
  const method = block[0]!;
  const size = block.readUInt32LE(5);
  const content = block.subarray(headerBytes);
  switch (method) {
    case methods.none:
      return content;
    case methods.lz4: {
      const out = Buffer.alloc(size);
      decodeLz4Block(content, out);
      return out;
    }
    case methods.zstd:
      return zstd(content);
    case methods.multiple: {
      // A list of methods, applied in turn: each stage's outcome is a block with a header of its own.
      let stage: Uint8Array = content.subarray(1 + content[0]!);
      for (let left = content[0]!; left > 0; left--) stage = decodeBlock(Buffer.from(stage));
      return stage;
    }
    default:
      if (numeric.has(method)) return content;
      throw new RangeError(`unknown method 0x${method.toString(16)}`);
  }
}
