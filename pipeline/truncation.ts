import { createHash } from 'node:crypto';
import type { Admin } from 'kafkajs';
import { LetheError } from '../schemas/errors.ts';
import { header } from '../schemas/record-headers.ts';
import { isRetained } from '../schemas/retained-row.ts';
import type { BrokerConnections } from './broker-connections.ts';
import { CommittedReader } from './committed-reader.ts';
import { kafkaError } from './kafka.ts';
import type { OutputRecord } from './transactional-producer.ts';

/** Tombstones of one part of a transaction. */
const recordsOfAPart = 500;

export interface TruncationScope {
  readonly connect: () => BrokerConnections;
  readonly admin: Admin;
  readonly groupId: string;
  readonly rawTopic: string;
  readonly cleanTopic: string;
}

/** What the clean topic has of a row that a truncate may be about. */
interface Last {
  /** Version of the newest record, and the record itself if it stands before an older one. */
  version: string;
  overtaken: OutputRecord | undefined;
  live: boolean;
}

/**
 * Makes a TRUNCATE, which has no key and stands in one partition, the deletion of each of the table's rows.
 *
 * 1. What was captured before it must be in the clean topic, from whatever partition: {@link reached}.
 * 2. Every row whose newest record is older gets a tombstone with the version of the truncate: it beats all that was there, and loses
 *    against what was inserted after it, in the stores.
 * 3. In the topic what stands last wins. A row that was inserted after the truncate may have been written before its tombstone: it is
 *    written again, behind it, with its own version, until there is none.
 *
 * Steps 2 and 3 are transactions that leave the input offset where it is, so that whoever dies between them begins anew.
 */
export class Truncation {
  private readonly scope: TruncationScope;
  /** Where the raw topic ended when the truncate was first seen. */
  private ends: ReadonlyMap<number, bigint> | undefined;
  private readonly partition: number;

  constructor(scope: TruncationScope, partition: number) {
    this.scope = scope;
    this.partition = partition;
  }

  /** Resolves if all that was captured before the truncate is processed; TABLE_HALTED, to be tried again, if not. */
  async reached(): Promise<void> {
    const { admin, groupId, rawTopic } = this.scope;
    try {
      this.ends ??= new Map(
        (await admin.fetchTopicOffsets(rawTopic)).map(({ partition, high }) => [partition, BigInt(high)]),
      );
      const [own] = await admin.fetchOffsets({ groupId, topics: [rawTopic] });
      const next = new Map(own?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
      for (const [partition, end] of this.ends) {
        if (partition === this.partition || end === 0n || (next.get(partition) ?? -1n) >= end) continue;
        throw new LetheError('TABLE_HALTED', `a truncate waits for what was captured before it`);
      }
    } catch (cause) {
      if (cause instanceof LetheError) throw cause;
      throw kafkaError(cause);
    }
  }

  /** What is to be written next: tombstones, and rows that must stand behind them; nothing when all is done. */
  async output(headers: Readonly<Record<string, string>>): Promise<OutputRecord[][]> {
    const reader = new CommittedReader(this.scope.connect());
    try {
      const parts: OutputRecord[][] = [];
      for (const { partition } of await reader.ends([this.scope.cleanTopic])) {
        const records = await this.outputOf(reader, partition, headers);
        for (let at = 0; at < records.length; at += recordsOfAPart)
          parts.push(records.slice(at, at + recordsOfAPart));
      }
      return parts;
    } finally {
      await reader.close();
    }
  }

  private async outputOf(
    reader: CommittedReader,
    partition: number,
    headers: Readonly<Record<string, string>>,
  ): Promise<OutputRecord[]> {
    const { cleanTopic: topic } = this.scope;
    const truncate = headers[header.version]!;
    const rows = new Map<string, Last>();
    await reader.readAll(topic, partition, ({ key, value, headers: own }) => {
      // A truncate at the source ends no duty to keep.
      if (isRetained(own.get(header.contract) ?? '')) return;
      const version = own.get(header.version) ?? '';
      const known = rows.get(key);
      if (known && version < known.version) return;
      // Texts of versions have their order. Only of rows that are newer than the truncate is the record kept.
      const newer = version > truncate;
      const overtaken = newer
        ? { topic, key, value, headers: Object.fromEntries(own), partition }
        : undefined;
      rows.set(key, { version, overtaken, live: value !== null });
    });
    const last = await this.lastVersions(reader, partition, rows, truncate);
    const output: OutputRecord[] = [];
    for (const [key, { version, overtaken, live }] of rows) {
      if (version < truncate && live)
        output.push({ topic, key, value: null, headers: ofRow(headers, key), partition });
      else if (overtaken && last.has(key)) output.push(overtaken);
    }
    return output;
  }

  /** Rows whose last record is the truncate's tombstone though a newer one stands before it. */
  private async lastVersions(
    reader: CommittedReader,
    partition: number,
    rows: ReadonlyMap<string, Last>,
    truncate: string,
  ): Promise<ReadonlySet<string>> {
    const behind = new Set<string>();
    if (![...rows.values()].some(({ overtaken }) => overtaken)) return behind;
    await reader.readAll(this.scope.cleanTopic, partition, ({ key, headers }) => {
      if (!rows.get(key)?.overtaken) return;
      if (headers.get(header.version) === truncate) behind.add(key);
      else behind.delete(key);
    });
    return behind;
  }
}

/** An event id of its own for each row that the truncate deletes. */
function ofRow(headers: Readonly<Record<string, string>>, key: string): Record<string, string> {
  const text = `${headers[header.eventId]} ${key}`;
  return { ...headers, [header.eventId]: createHash('sha256').update(text).digest('hex').slice(0, 32) };
}
