/**
 * The version of a change: (epoch, commit position, change LSN, sequence), compared in this order.
 *
 * - `epoch` rises when the source becomes another one (restore, move, failover to another timeline); see connectors/source-epoch.ts.
 * - `commit` is the end LSN of the last transaction that committed before this change's own one
 *   (Debezium's `source.sequence[0]`): transactions are streamed in commit order, so it grows with it.
 * - `lsn` is the change's own LSN and orders the changes of one transaction.
 * - `seq` counts the changes of a partition since `commit` last rose: it parts what the source gives the same position, snapshot
 *   reads above all, and with `commit` alone it gives the same order as the whole.
 *
 * All BigInt: LSNs do not fit a JavaScript number.
 */
export interface Version {
  readonly epoch: bigint;
  readonly commit: bigint;
  readonly lsn: bigint;
  readonly seq: bigint;
}

export const zeroVersion: Version = { epoch: 0n, commit: 0n, lsn: 0n, seq: 0n };

/** Negative, zero or positive, as for sort(). */
export function compareVersions(a: Version, b: Version): number {
  if (a.epoch !== b.epoch) return a.epoch < b.epoch ? -1 : 1;
  if (a.commit !== b.commit) return a.commit < b.commit ? -1 : 1;
  if (a.lsn !== b.lsn) return a.lsn < b.lsn ? -1 : 1;
  if (a.seq !== b.seq) return a.seq < b.seq ? -1 : 1;
  return 0;
}

/** `epoch-commit-lsn-seq` in fixed-width hex, so that text order is version order: 4-16-16-8 digits. */
export function formatVersion(v: Version): string {
  return `${hex(v.epoch, 4)}-${hex(v.commit, 16)}-${hex(v.lsn, 16)}-${hex(v.seq, 8)}`;
}

const pattern = /^([0-9a-f]{4})-([0-9a-f]{16})-([0-9a-f]{16})-([0-9a-f]{8})$/;

/** The inverse of {@link formatVersion}; undefined for anything else. */
export function parseVersion(text: string): Version | undefined {
  const m = pattern.exec(text);
  if (!m) return undefined;
  return {
    epoch: BigInt(`0x${m[1]}`),
    commit: BigInt(`0x${m[2]}`),
    lsn: BigInt(`0x${m[3]}`),
    seq: BigInt(`0x${m[4]}`),
  };
}

/** The whole tuple as one unsigned integer of 176 bits, for ClickHouse's UInt256. */
export function versionToUInt256(v: Version): bigint {
  return (((((v.epoch << 64n) | v.commit) << 64n) | v.lsn) << 32n) | v.seq;
}

/** The inverse of {@link versionToUInt256}. */
export function versionFromUInt256(number: bigint): Version {
  const part = (shift: bigint, bits: bigint): bigint => (number >> shift) & ((1n << bits) - 1n);
  return { epoch: part(160n, 16n), commit: part(96n, 64n), lsn: part(32n, 64n), seq: part(0n, 32n) };
}

const epochBits = 5n;
/** As many sources as a store's versions keep apart, one after the other. */
export const lastEpoch = Number((1n << epochBits) - 1n);
const commitBits = 48n;
const seqBits = 10n;
const mostSeq = (1n << seqBits) - 1n;

/**
 * 63 bits for Elasticsearch: epoch (5), commit position / 32 (48: two commits are further apart than that), and seq (10). They never go
 * back for a key; only what comes after 1,023 changes since the last commit, in one partition, ties, and is settled by
 * the order of the partition.
 */
export function versionToElasticsearch(v: Version): bigint {
  const epoch = v.epoch & BigInt(lastEpoch);
  const commit = (v.commit >> 5n) & ((1n << commitBits) - 1n);
  return (((epoch << commitBits) | commit) << seqBits) | (v.seq < mostSeq ? v.seq : mostSeq);
}

/** Whether another change of its row may have the same version in Elasticsearch. */
export function mayTie({ seq }: Pick<Version, 'seq'>): boolean {
  return seq >= mostSeq;
}

/** Where at the source a change stands, as one LSN: its own, or for a first snapshot read the snapshot's. */
export function positionOf(v: Version): bigint {
  return v.lsn === 0n ? v.commit : v.lsn;
}

/** `16/B374D848`, as Postgres prints an LSN. */
export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`;
}

/** The inverse of {@link formatLsn}. */
export function parseLsn(text: string): bigint {
  const [high, low] = text.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

function hex(n: bigint, digits: number): string {
  return n.toString(16).padStart(digits, '0');
}
