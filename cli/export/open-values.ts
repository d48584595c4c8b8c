import { associatedData, decrypt, describeCiphertext } from '../../keys/ciphertext.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import { plainType } from '../../schemas/clean-schema.ts';
import type { Dataset, DatasetColumn } from '../../schemas/dataset.ts';
import { isoDate } from '../../schemas/iso-date.ts';
import { keyUse } from '../../schemas/key-use.ts';
import { avroType } from '../../schemas/registry.ts';
import { isoTime, isoTimestamp } from '../../sinks/civil-time.ts';

/** What stands in an export for a value that nobody can open: its key is destroyed, or it is of another place. */
export const erased = { erased: true } as const;
export const sealed = { sealed: true } as const;

export interface OpenCounts {
  decrypted: number;
  erased: number;
  sealed: number;
}

type Row = Readonly<Record<string, unknown>>;

/**
 * Opens what is encrypted in rows of a store, base64 as stores have it: whole columns, and values within a path map. What is kept, coarse or a
 * pseudonym stays as it is.
 */
export class ValueOpener {
  readonly counts: OpenCounts = { decrypted: 0, erased: 0, sealed: 0 };
  readonly #keys: Pick<KeyStore, 'keyById'>;
  readonly #dataset: Dataset;

  constructor(keys: Pick<KeyStore, 'keyById'>, dataset: Dataset) {
    this.#keys = keys;
    this.#dataset = dataset;
  }

  async open(row: Row): Promise<Record<string, unknown>> {
    const opened: Record<string, unknown> = { ...row };
    for (const column of this.#dataset.columns) {
      const value = row[column.name];
      if (value === null || value === undefined) continue;
      const { rule } = column;
      if (rule.action === 'encrypt') opened[column.name] = await this.#column(column, value);
      if (rule.action === 'paths') {
        const places = Object.entries(rule.paths).flatMap(([path, { action, classification }]) =>
          action === 'encrypt'
            ? [{ name: `${column.name}#${path}`, classification: classification ?? rule.classification }]
            : [],
        );
        if (places.length > 0) opened[column.name] = await this.#within(value, places);
      }
    }
    return opened;
  }

  async #column(column: DatasetColumn, value: unknown): Promise<unknown> {
    const plain = await this.#decrypt(value, [
      { name: column.name, classification: column.rule.classification },
    ]);
    return Buffer.isBuffer(plain) ? plainText(column, plain) : plain;
  }

  /** JSON text, or what JSON text became: every text that is a ciphertext of one of the places is opened where it stands. */
  async #within(value: unknown, places: readonly Place[]): Promise<unknown> {
    if (typeof value === 'string' && /^\s*[[{"]/.test(value)) return this.#within(JSON.parse(value), places);
    if (Array.isArray(value)) return Promise.all(value.map((item) => this.#within(item, places)));
    if (typeof value === 'object' && value !== null) {
      const members = Object.entries(value).map(
        async ([name, member]) => [name, await this.#within(member, places)] as const,
      );
      return Object.fromEntries(await Promise.all(members));
    }
    if (typeof value !== 'string' || !describeCiphertext(Buffer.from(value, 'base64'))) return value;
    const plain = await this.#decrypt(value, places);
    return Buffer.isBuffer(plain) ? (JSON.parse(plain.toString('utf8')) as unknown) : plain;
  }

  async #decrypt(value: unknown, places: readonly Place[]): Promise<Buffer | typeof erased | typeof sealed> {
    const bytes = Buffer.from(typeof value === 'string' ? value : '', 'base64');
    const named = describeCiphertext(bytes);
    const key = named && (await this.#keys.keyById(named.keyId, named.generation));
    if (named && !key) {
      this.counts.erased++;
      return erased;
    }
    for (const { name, classification } of key ? places : []) {
      const { table } = this.#dataset;
      const use = keyUse('encrypt', table, classification);
      const plain = decrypt(key!, use, associatedData(table, name), bytes);
      if (!plain) continue;
      this.counts.decrypted++;
      return plain;
    }
    this.counts.sealed++;
    return sealed;
  }
}

/** A column, or a path within it, as values are bound to it. */
interface Place {
  readonly name: string;
  readonly classification: string;
}

/** The value as text, as the source's canonical text has it; bytes as base64, an array as an array of texts. */
function plainText(column: DatasetColumn, plain: Buffer): unknown {
  const value: unknown = avroType(plainType(column)).fromBuffer(plain);
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (Array.isArray(value))
    return value.map((item: unknown) => (item === null ? null : textOf(column, item)));
  return textOf(column, value);
}

function textOf({ source }: DatasetColumn, value: unknown): string {
  if (source === 'date' && typeof value === 'number') return isoDate(value);
  if (source === 'time' && typeof value === 'bigint') return isoTime(Number(value));
  if (source === 'timestamp' && typeof value === 'bigint') return isoTimestamp(value);
  return String(value);
}
