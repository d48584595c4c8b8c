import type { KafkaMessage } from 'kafkajs';
import { makeCleanChange } from './clean-change.ts';
import type { CleanChange } from './sink.ts';
import { LetheError } from '../schemas/errors.ts';
import { header } from '../schemas/record-headers.ts';
import { parseVersion } from '../schemas/version.ts';
import { BoundedCache } from './bounded-cache.ts';

/** Decodes Avro of one schema; avsc's Type fits. */
export interface RowDecoder {
  fromBuffer(buffer: Buffer): unknown;
}

/** What of a message is read. */
export type CleanMessage = Pick<KafkaMessage, 'key' | 'value' | 'headers'>;

/** Reads records of a clean topic. Only what a transform wrote gets through: its headers must be there. */
export class CleanReader {
  private readonly decoders = new BoundedCache<number, RowDecoder>(64);
  private readonly load: (id: number) => Promise<RowDecoder>;

  constructor(load: (id: number) => Promise<RowDecoder>) {
    this.load = load;
  }

  /** RECORD_MALFORMED for what is no clean record; UNREACHABLE while the registry is away. */
  async read(table: string, message: CleanMessage): Promise<CleanChange> {
    const version = parseVersion(text(message, header.version));
    const commitMs = text(message, header.commitMs);
    if (!version || message.key === null || !/^-?\d{1,16}$/.test(commitMs)) {
      throw new LetheError(
        'RECORD_MALFORMED',
        `a record of the clean topic of ${table} lacks its version, commit time or key`,
      );
    }
    return makeCleanChange({
      table,
      key: message.key.toString('utf8'),
      version,
      row: message.value === null ? null : await this.row(table, message.value),
      eventId: text(message, header.eventId),
      traceId: text(message, header.traceId),
      commitMs: Number(commitMs),
      contract: text(message, header.contract),
    });
  }

  private async row(table: string, value: Buffer): Promise<Readonly<Record<string, unknown>>> {
    if (value.length < 5 || value[0] !== 0)
      throw new LetheError('RECORD_MALFORMED', `a record of the clean topic of ${table}`);
    const id = value.readUInt32BE(1);
    let decoder = this.decoders.get(id);
    if (!decoder) {
      decoder = await this.load(id);
      this.decoders.set(id, decoder);
    }
    try {
      return decoder.fromBuffer(value.subarray(5)) as Record<string, unknown>;
    } catch {
      throw new LetheError(
        'RECORD_MALFORMED',
        `a record of the clean topic of ${table} is not of its schema`,
      );
    }
  }
}

function text(message: CleanMessage, name: string): string {
  const value = message.headers?.[name];
  return Buffer.isBuffer(value) ? value.toString('latin1') : '';
}
