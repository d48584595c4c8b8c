import {
  compareVersions,
  formatVersion,
  parseVersion,
  type Version,
  zeroVersion,
} from '../schemas/version.ts';

/** Where a change stands at the source. */
export interface SourcePosition {
  /** A snapshot read (initial, blocking or incremental), not a streamed change. */
  readonly read: boolean;
  readonly previousCommit: bigint | undefined;
  readonly lsn: bigint | undefined;
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
 * The state travels in the metadata of the committed offset, in the same transaction as the output.
 */
export class VersionClock {
  private last: Version;
  private streamed: Version;

  private constructor(last: Version, streamed: Version) {
    this.last = last;
    this.streamed = streamed;
  }

  /** A clock that has seen nothing, or one from {@link state}. */
  static from(state: string | null | undefined, epoch = 1n): VersionClock {
    const [last, streamed] = (state ?? '').split(' ').map(parseVersion);
    if (last && streamed && last.epoch >= epoch) return new VersionClock(last, streamed);
    return new VersionClock({ ...zeroVersion, epoch }, { ...zeroVersion, epoch });
  }

  /** Text for the offset's metadata: positions only. */
  state(): string {
    return `${formatVersion(this.last)} ${formatVersion(this.streamed)}`;
  }

  /** A copy to try a batch with. */
  copy(): VersionClock {
    return new VersionClock(this.last, this.streamed);
  }

  /** Goes on where another one stands. */
  set(other: VersionClock): void {
    this.last = other.last;
    this.streamed = other.streamed;
  }

  /** The version of the next change of the partition. */
  next(at: SourcePosition): Version {
    if (at.read) return this.nextRead(at);
    const commit = at.previousCommit ?? this.last.commit;
    const own: Version = { epoch: this.last.epoch, commit, lsn: at.lsn ?? 0n, seq: 0n };
    const order = compareVersions(own, { ...this.streamed, seq: 0n });
    if (order < 0) return own;
    // Rows of one multi-row insert share an LSN; the sequence keeps them apart.
    const version = order === 0 || compareVersions(own, this.last) <= 0 ? after(this.last) : own;
    this.streamed = order === 0 ? this.streamed : own;
    this.last = version;
    return version;
  }

  private nextRead(at: SourcePosition): Version {
    const first = this.last.commit === 0n && this.last.lsn === 0n && this.last.seq === 0n;
    this.last = first && at.lsn ? { ...this.last, commit: at.lsn, lsn: 0n, seq: 1n } : after(this.last);
    return this.last;
  }
}

function after(v: Version): Version {
  return { ...v, seq: v.seq + 1n };
}
