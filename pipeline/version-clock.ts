import { formatVersion, type Version, zeroVersion } from '../schemas/version.ts';
import {
  compareWords,
  halves,
  parseVersionWords,
  versionOf,
  type VersionWords,
  versionWords,
  wordsOf,
} from '../schemas/version-words.ts';

/** Epoch and commit among the words of a version. */
const commitWords = 3;

/** Where a change stands at the source. */
export interface SourcePosition {
  /** A snapshot read (initial, blocking or incremental), not a streamed change. */
  readonly read: boolean;
  readonly previousCommit: bigint | undefined;
  readonly lsn: bigint | undefined;
  /** Of the source that it comes from; undefined where the record does not say. */
  readonly epoch?: number;
}

/**
 * Gives every change of one input partition its version.
 *
 * Streamed changes carry their own position: (end of the commit before, own LSN) grows in commit order whatever the
 * interleaving in the WAL, because a transaction's predecessor in the stream committed before it.
 *
 * A snapshot read has no such position: its LSN may lie before or after the commits that it saw. What is certain is its
 * place in the partition: Debezium emits it after what it already streamed and before what it will stream. So it stands just after the
 * latest version of the partition, and below every new streamed change. Only the first read of all
 * takes its LSN, the slot's consistent point, from which everything is streamed.
 *
 * A change at or below the latest streamed position is a repetition (a connector that started again): it keeps its
 * own, old version and loses in the stores.
 *
 * Another source counts its WAL anew, from where it likes: with its first record the clock starts again under the higher epoch, and
 * what still comes from the one before loses.
 *
 * The state travels in the metadata of the committed offset, in the same transaction as the output.
 */
export class VersionClock {
  private readonly last: VersionWords;
  private readonly streamed: VersionWords;
  private readonly own: VersionWords = new Uint32Array(versionWords);

  private constructor(last: VersionWords, streamed: VersionWords) {
    this.last = last;
    this.streamed = streamed;
  }

  /** A clock that has seen nothing, or one from {@link state}. */
  static from(state: string | null | undefined): VersionClock {
    const [last, streamed] = (state ?? '').split(' ').map(parseVersionWords);
    if (last && streamed) return new VersionClock(last, streamed);
    const start = wordsOf({ ...zeroVersion, epoch: 1n });
    return new VersionClock(start, start.slice());
  }

  /** Of the newest change. */
  get epoch(): number {
    return this.last[0]!;
  }

  /** Text for the offset's metadata: positions only. */
  state(): string {
    return `${formatVersion(versionOf(this.last))} ${formatVersion(versionOf(this.streamed))}`;
  }

  /** A copy to try a batch with. */
  copy(): VersionClock {
    return new VersionClock(this.last.slice(), this.streamed.slice());
  }

  /** Goes on where another one stands. */
  set(other: VersionClock): void {
    this.last.set(other.last);
    this.streamed.set(other.streamed);
  }

  /** All that comes from here on is above this version too. Where the clock is there already nothing changes. */
  raise(above: Version): void {
    const { last } = this;
    const words = wordsOf(above);
    if (compareWords(words, last, versionWords) > 0) {
      // Of the former source only stragglers can come: `former` has them lose.
      if (words[0]! > last[0]!) this.begin(words[0]!);
      assign(last, words);
    } else if (compareWords(words, last, commitWords) === 0 && words[5]! > last[5]!) {
      // A store without room for the LSN goes by the sequence.
      last[5] = words[5]!;
    }
  }

  /** The version of the next change of the partition. */
  next({ read, previousCommit, lsn, epoch }: SourcePosition): Version {
    const commit = previousCommit === undefined ? undefined : halves(previousCommit);
    const own = lsn === undefined ? undefined : halves(lsn);
    return versionOf(this.advance(read, commit, own, epoch));
  }

  /** {@link next} for positions in words, the high one first; what it returns is valid until it is called again. */
  advance(
    read: boolean,
    commit: Uint32Array | undefined,
    lsn: Uint32Array | undefined,
    epoch: number = this.last[0]!,
  ): VersionWords {
    const { last, streamed, own } = this;
    if (epoch > last[0]!) this.begin(epoch);
    else if (epoch < last[0]!) return this.former(epoch, commit, lsn);
    if (read) return this.advanceRead(lsn);
    own[0] = last[0]!;
    own[1] = commit ? commit[0]! : streamed[1]!;
    own[2] = commit ? commit[1]! : streamed[2]!;
    own[3] = lsn ? lsn[0]! : 0;
    own[4] = lsn ? lsn[1]! : 0;
    own[5] = 0;
    const order = compareWords(own, streamed, versionWords - 1);
    if (order < 0) return own;
    if (order > 0) assign(streamed, own);
    // No commit was streamed before it: then it comes after what was read, and no later change may look repeated beside it.
    if (!commit) own.set(last.subarray(1, commitWords), 1);
    // Another change of what came since the same commit: numbered, so that a store without room for the LSN orders it too.
    if (compareWords(own, last, commitWords) === 0) own[5] = last[5]! + 1;
    // Rows of one multi-row insert share an LSN.
    if (order === 0 || compareWords(own, last, versionWords - 1) <= 0) step(last);
    else assign(last, own);
    return last;
  }

  private begin(epoch: number): void {
    for (const words of [this.last, this.streamed]) {
      words.fill(0);
      words[0] = epoch;
    }
  }

  /** A straggler of a source that there is no more: whatever there is of the newer one is above it. */
  private former(epoch: number, commit: Uint32Array | undefined, lsn: Uint32Array | undefined): VersionWords {
    const { own } = this;
    own.fill(0);
    own[0] = epoch;
    if (commit ?? lsn) own.set((commit ?? lsn)!, 1);
    if (lsn) own.set(lsn, 3);
    return own;
  }

  private advanceRead(lsn: Uint32Array | undefined): VersionWords {
    const { last } = this;
    const first = (last[1]! | last[2]! | last[3]! | last[4]! | last[5]!) === 0;
    if (first && lsn && (lsn[0]! | lsn[1]!) !== 0) {
      last[1] = lsn[0]!;
      last[2] = lsn[1]!;
      last[5] = 1;
    } else step(last);
    return last;
  }
}

function step(v: VersionWords): void {
  if (v[5] === 0xffff_ffff) throw new RangeError('more changes at one position than a version keeps apart');
  v[5]!++;
}

/** A loop: the call into C++ that is set() costs more than six words. */
function assign(to: VersionWords, from: VersionWords): void {
  for (let i = 0; i < versionWords; i++) to[i] = from[i]!;
}
