import { basename, dirname } from 'node:path';
import type { Config } from '../../schemas/config.ts';
import { type Canary, staysAtSource } from '../canary.ts';
import { decompressRecords } from '../codecs/decompress.ts';
import { KafkaCluster } from '../kafka/cluster.ts';
import { parseRecords, type RecordBatch, recordBatches } from '../kafka/record-batch.ts';
import type { Place, Search } from '../scan.ts';
import { reasonOf } from '../verify-error.ts';
import { fileChunks, readEveryFile, searchFile } from './files.ts';

export interface SegmentsOptions {
  readonly kafka: Config['kafka'];
  /** Topics that hold the source's changes as they are, until they are purged. */
  readonly rawTopics: readonly string[];
}

const windowBytes = 8 << 20;
/** `topic-7`, and what a deleted partition's folder is renamed to: `topic-7.<hex>-delete`. */
const partitionFolder = /^(.+)-(\d+)(\.[0-9a-f]+-(?:delete|future|stray))?$/;
const segmentName = /^\d{20}\.log(\.deleted|\.cleaned|\.swap)?$/;

/**
 * Every file in the brokers' data directories (they must be on this machine), internal topics and indexes too: as bytes, and each compressed batch as
 * what is in it.
 *
 * A raw topic holds protected values by its nature while they wait for the transform. So of its records from the log's
 * start on only what should have stayed in Postgres counts; of those behind it, which are purged, everything does.
 */
export function kafkaSegmentsPlace(options: SegmentsOptions): Place {
  return {
    name: 'kafka segment files',
    search: async (search) => {
      const { starts, dirs } = await askBrokers(options);
      await readEveryFile(search, dirs, async ({ path }) => {
        const folder = partitionFolder.exec(basename(dirname(path)));
        const topic = folder?.[1];
        const raw = topic !== undefined && options.rawTopics.includes(topic);
        const segment = segmentName.test(basename(path));
        if (!raw) await searchFile(search, path);
        if (!segment) {
          if (raw) await searchFile(search, path);
          return;
        }
        // A folder that waits to be deleted has no live record.
        const start = raw && !folder?.[3] ? (starts.get(`${topic}-${folder?.[2]}`) ?? 0n) : undefined;
        await searchSegment(search, path, raw ? { start } : undefined);
      });
    },
  };
}

/** `start` is where the raw log starts; without one everything in the file is purged. */
interface RawSegment {
  readonly start: bigint | undefined;
}

/** Walks a segment's batches; memory is bounded by one batch and one window. */
async function searchSegment(search: Search, path: string, raw: RawSegment | undefined): Promise<void> {
  let held: Buffer = Buffer.alloc(0);
  let position = 0;
  const pieces: Buffer[] = [];
  let waiting = 0;
  const walk = (): void => {
    held = Buffer.concat([held, ...pieces.splice(0)]);
    waiting = 0;
    let end = 0;
    for (const batch of recordBatches(held)) {
      searchBatch(search, path, position, batch, held, raw);
      end = batch.end;
    }
    position += end;
    held = held.subarray(end);
  };
  for await (const chunk of fileChunks(path)) {
    pieces.push(chunk);
    waiting += chunk.length;
    if (waiting >= Math.max(windowBytes, held.length)) walk();
  }
  walk();
  if (isOldFormat(held)) search.problem(`${path} holds records of a format older than 2`);
  if (raw && held.length > 0) {
    // Torn or preallocated: no batch says which offsets these are, so they are taken for live.
    search.bytes(`${path} after its last batch`, held, raw.start === undefined ? undefined : staysAtSource);
  }
}

/** A whole message of format 0 or 1: what it compresses is not unpacked here. */
function isOldFormat(rest: Buffer): boolean {
  if (rest.length < 17 || rest[16]! > 1) return false;
  const length = rest.readInt32BE(8);
  return length > 0 && 12 + length <= rest.length;
}

function searchBatch(
  search: Search,
  path: string,
  position: number,
  batch: RecordBatch,
  bytes: Buffer,
  raw: RawSegment | undefined,
): void {
  search.records(batch.count);
  const where = `${path} batch at ${position + batch.start}`;
  let plain: Buffer;
  try {
    plain = decompressRecords(batch.codec, batch.payload);
  } catch (error) {
    search.problem(`${where} cannot be decompressed (${reasonOf(error)})`);
    return;
  }
  if (!raw) {
    if (batch.codec !== 0) search.bytes(`${where} (decompressed)`, plain);
    return;
  }
  const { start } = raw;
  if (start === undefined || batch.lastOffset < start) {
    search.bytes(`${where}, behind the purged offset`, bytes.subarray(batch.start, batch.end));
    if (batch.codec !== 0) search.bytes(`${where}, behind the purged offset (decompressed)`, plain);
    return;
  }
  search.bytes(where, bytes.subarray(batch.start, batch.end), staysAtSource);
  if (batch.codec !== 0) search.bytes(`${where} (decompressed)`, plain, staysAtSource);
  // The purge may end inside a batch: its first records are gone for readers, and still here.
  if (batch.baseOffset < start && !batch.control) searchPurgedRecords(search, where, batch, plain, start);
}

function searchPurgedRecords(
  search: Search,
  where: string,
  batch: RecordBatch,
  plain: Buffer,
  start: bigint,
): void {
  const travels = (canary: Canary): boolean => !staysAtSource(canary);
  for (const record of parseRecords(batch, plain)) {
    if (record.offset >= start) return;
    const behind = `${where} offset ${record.offset}, behind the purged offset`;
    for (const part of [record.key, record.value, ...record.headers.flatMap((h) => [h.key, h.value])]) {
      if (part) search.bytes(behind, part, travels);
    }
  }
}

/** Where each partition of the raw topics starts, and where the brokers keep their files. */
async function askBrokers(
  options: SegmentsOptions,
): Promise<{ starts: Map<string, bigint>; dirs: string[] }> {
  const starts = new Map<string, bigint>();
  const cluster = new KafkaCluster(options.kafka);
  try {
    for (const topic of options.rawTopics) {
      for (const at of await cluster.partitions(topic)) {
        starts.set(`${topic}-${at.partition}`, await cluster.earliestOffset(at));
      }
    }
    return { starts, dirs: await cluster.logDirs() };
  } finally {
    await cluster.close();
  }
}
