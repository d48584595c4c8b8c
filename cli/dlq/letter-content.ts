import { type OpenedPayload, splitPayload } from '../../pipeline/dead-letters.ts';
import { LetheError } from '../../schemas/errors.ts';
import type { Registry } from '../../schemas/registry.ts';

/** What a dead letter holds, for whoever may read it. */
export type LetterContent =
  | { readonly state: 'erased' | 'unreadable' }
  | {
      readonly state: 'readable';
      /** Decoded; a clean record's key is a text. */
      readonly key: unknown;
      /** Decoded; null where there was none, or it was too long to be kept. */
      readonly value: unknown;
    };

/** Decodes an opened payload by the schemas that its parts name. Whole numbers beyond a double's digits become texts, bytes base64. */
export async function letterContent(opened: OpenedPayload, registry: Registry): Promise<LetterContent> {
  if (opened.kind !== 'opened') return { state: opened.kind };
  const parts = splitPayload(opened.payload);
  if (!parts) return { state: 'unreadable' };
  return {
    state: 'readable',
    key: parts.key && (await decoded(parts.key, registry)),
    value: parts.value && (await decoded(parts.value, registry)),
  };
}

/** Confluent wire format; what is none, or of no known schema, is shown as it is. */
async function decoded(bytes: Buffer, registry: Registry): Promise<unknown> {
  if (bytes.length < 5 || bytes[0] !== 0) return textOrBytes(bytes);
  const id = bytes.readUInt32BE(1);
  try {
    const type = await registry.decoder(id);
    return plain(type.fromBuffer(bytes.subarray(5)));
  } catch (error) {
    if (error instanceof LetheError && error.code !== 'SCHEMA_UNKNOWN') throw error;
    return { schema: id, base64: bytes.subarray(5).toString('base64') };
  }
}

function textOrBytes(bytes: Buffer): unknown {
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString('base64') };
}

/** A decoded value as JSON takes it. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Buffer.isBuffer(value)) return { base64: value.toString('base64') };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}
