import { whole } from '../schemas/version-words.ts';
import { type AvroReader, malformed } from './avro-reader.ts';

/**
 * What the engine needs of a change event beside its row, filled anew for each event. Positions are Postgres LSNs of 64
 * bits: two words each, the high one first, since a BigInt is an object of its own.
 */
export class ChangeHead {
  /** `c`, `u`, `d`, `r`, `t` (truncate) or `m` (message). */
  op = '';
  /** A snapshot read, not a streamed change. */
  read = false;
  hasCommit = false;
  hasLsn = false;
  hasTxId = false;
  /** End LSN of the commit before this transaction, from source.sequence[0]. */
  readonly commit = new Uint32Array(2);
  readonly lsn = new Uint32Array(2);
  readonly txId = new Uint32Array(2);
  /** Commit time, ms since the epoch. */
  commitMs = 0;
  /** Where the offsets of the row after the change stand; -1 if there is none. */
  row = -1;

  /** The operation by the code of its letter. */
  setOp(letter: number): void {
    this.op = operations[letter] ?? '';
    this.read = this.op === 'r';
  }

  /** Of a row that was not found at the source at that time: a delete at no position. */
  absent(lookedMs: number): void {
    this.op = 'd';
    this.read = false;
    this.hasCommit = false;
    this.hasLsn = false;
    this.hasTxId = false;
    this.commitMs = Number.isSafeInteger(lookedMs) && lookedMs > 0 ? lookedMs : 0;
    this.row = -1;
  }

  /** `["24023128","24023200"]` or `[null,"24023200"]`: the commit before, then the change's own LSN. */
  readSequence(reader: AvroReader): void {
    const end = reader.readInt() + reader.pos;
    const { buf } = reader;
    let at = reader.pos + 2;
    this.hasCommit = buf[at - 2] === bracket && buf[at - 1] === quote && at <= end;
    if (!this.hasCommit) return;
    // Decimal to binary in two parts that a double holds exactly: 20 digits at most, of 64 bits.
    let high = 0;
    let low = 0;
    const most = Math.min(at + 21, end);
    const first = at;
    for (; at < most && buf[at] !== quote; at++) {
      const digit = buf[at]! - zero;
      if (digit < 0 || digit > 9) throw malformed();
      low = low * 10 + digit;
      const carry = Math.floor(low / word);
      low -= carry * word;
      high = high * 10 + carry;
    }
    if (at === first || at === most || high >= word) throw malformed();
    this.commit[0] = high;
    this.commit[1] = low;
  }

  /** The transaction's number, for a server. */
  transaction(): bigint | undefined {
    return this.hasTxId ? whole(this.txId, 0) : undefined;
  }
}

const word = 2 ** 32;
const bracket = 0x5b;
const quote = 0x22;
const zero = 0x30;

const operations: string[] = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));
operations[0] = '';
