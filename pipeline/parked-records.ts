import type { LookupCipher } from './lookup.ts';
import type { MissingRow, RawRecord } from './transform.ts';
import type { OutputRecord } from './transactional-producer.ts';

/** A raw record in waiting. */
export interface ParkedRecord {
  readonly offset: string;
  readonly key: Buffer;
  readonly value: Buffer;
  /** The version it was given when it came. */
  readonly version: string;
  /** ms since the epoch. */
  readonly sinceMs: number;
  /** The row that was not known when it came; a pseudonym stands for its key. */
  readonly waitsFor?: MissingRow;
  /** It was read back from the topic: under what contract it came nobody knows. */
  readonly restored?: true;
}

/** Where the parked records of one partition are kept. */
export interface ParkedScope {
  readonly table: string;
  readonly topic: string;
  readonly partition: number;
  readonly cipher: LookupCipher;
}

const largestBytes = 64 * 1024 * 1024;

/**
 * The records of one partition in waiting, in their order, by the key of their row. Each stands sealed in a compacted topic as well,
 * under its offset: what changes here must be written there, in the transaction that the change belongs to.
 */
export class ParkedRecords {
  private readonly byKey = new Map<string, ParkedRecord[]>();
  private readonly scope: ParkedScope;
  private readonly most: number;
  private bytes = 0;
  size = 0;
  /** What {@link LookupTables.changes} was when they were last looked through; undefined once one was added since. */
  lookedThrough: number | undefined;

  constructor(scope: ParkedScope, most: number) {
    this.scope = scope;
    this.most = most;
  }

  /** No more should come in before some have gone. */
  get isFull(): boolean {
    return this.size >= this.most || this.bytes >= largestBytes;
  }

  /** When the record that has waited longest came, ms; undefined where none waits. */
  get oldestMs(): number | undefined {
    let oldest: number | undefined;
    for (const [head] of this.byKey.values()) {
      if (oldest === undefined || head!.sinceMs < oldest) oldest = head!.sinceMs;
    }
    return oldest;
  }

  /** Parks a record; gives what is to be written. */
  add(record: ParkedRecord): OutputRecord {
    this.insert(record);
    const { table, topic, partition, cipher } = this.scope;
    const value = cipher.seal(table, topic, encode(record));
    return { topic, partition, key: record.offset, value, headers: {} };
  }

  /** Takes a record out; gives what is to be written. */
  remove({ offset, key, value }: ParkedRecord): OutputRecord {
    const name = nameOf(key);
    const left = this.of(key).filter((record) => record.offset !== offset);
    if (left.length > 0) this.byKey.set(name, left);
    else this.byKey.delete(name);
    this.size--;
    this.bytes -= key.length + value.length;
    const { topic, partition } = this.scope;
    return { topic, partition, key: offset, value: null, headers: {} };
  }

  /** Records in waiting of the same row, in their order. */
  of(key: Buffer): readonly ParkedRecord[] {
    return this.byKey.get(nameOf(key)) ?? [];
  }

  /** All of them, row by row. */
  *all(): Generator<ParkedRecord> {
    for (const records of this.byKey.values()) yield* records;
  }

  /** Rows of which a record may go on: what it waits for is known, or its time is up. A restored one may follow another path by now. */
  due(isKnown: (row: MissingRow) => boolean, sinceBefore: number): ParkedRecord[][] {
    return [...this.byKey.values()].filter((records) =>
      records.some(
        ({ waitsFor, sinceMs, restored }) =>
          sinceMs <= sinceBefore || restored || !waitsFor || isKnown(waitsFor),
      ),
    );
  }

  /** Takes in a record as it stands in the topic. */
  restore(offset: string, sealed: Buffer): void {
    const { table, topic, cipher } = this.scope;
    this.insert({ ...decode(offset, cipher.open(table, topic, sealed)), restored: true });
  }

  private insert(record: ParkedRecord): void {
    const name = nameOf(record.key);
    const own = this.byKey.get(name);
    if (own) own.push(record);
    else this.byKey.set(name, [record]);
    this.size++;
    this.lookedThrough = undefined;
    this.bytes += record.key.length + record.value.length;
  }
}

/** The record as the transform takes it again. */
export function asRaw(
  { offset, key, value, version, sinceMs }: ParkedRecord,
  expiredBefore: number,
): RawRecord {
  return { offset, key, value, parked: { version, expired: sinceMs <= expiredBefore } };
}

const nameOf = (key: Buffer): string => key.toString('latin1');

/** `[4 bytes: length of the head][head: JSON][4 bytes: length of the key][key][value]` */
function encode({ key, value, version, sinceMs, waitsFor }: ParkedRecord): Buffer {
  const head = Buffer.from(JSON.stringify({ version, sinceMs, waitsFor }));
  return Buffer.concat([lengthOf(head), head, lengthOf(key), key, value]);
}

function decode(offset: string, payload: Buffer): ParkedRecord {
  const headEnd = 4 + payload.readUInt32BE(0);
  const head = JSON.parse(payload.toString('utf8', 4, headEnd)) as Pick<
    ParkedRecord,
    'version' | 'sinceMs' | 'waitsFor'
  >;
  const keyEnd = headEnd + 4 + payload.readUInt32BE(headEnd);
  return { ...head, offset, key: payload.subarray(headEnd + 4, keyEnd), value: payload.subarray(keyEnd) };
}

function lengthOf(part: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.length);
  return length;
}
