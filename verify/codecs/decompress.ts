import { gunzipSync } from 'node:zlib';
import { decompress as decodeZstd } from 'fzstd';
import { VerifyError } from '../verify-error.ts';
import { decodeLz4Frame } from './lz4.ts';
import { decodeSnappy } from './snappy.ts';

/** Kafka's codec numbers, in the low bits of a record batch's attributes. */
export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** The records of a batch as they were before compression. */
export function decompressRecords(codec: number, bytes: Buffer): Buffer {
  switch (codecs[codec]) {
    case 'none':
      return bytes;
    case 'gzip':
      return gunzipSync(bytes);
    case 'snappy':
      return decodeSnappy(bytes);
    case 'lz4':
      return decodeLz4Frame(bytes);
    case 'zstd':
      return zstd(bytes);
    default:
      throw new VerifyError('DATA_MALFORMED', `a record batch names the unknown codec ${codec}`);
  }
}

export function zstd(bytes: Uint8Array): Buffer {
  const out = decodeZstd(bytes);
  return Buffer.from(out.buffer, out.byteOffset, out.byteLength);
}
