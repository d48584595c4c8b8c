import { createDecipheriv } from 'node:crypto';

/** An encrypted value: bytes, or base64 as Elasticsearch has them. */
export type Ciphertext = Uint8Array | string;

/**
 * What became of a value. `value`: the Avro encoding of its plaintext, see {@link avroText}. `erased`: its key was destroyed, for good; show
 * it as such, it is no error. `sealed`: not for this reader, not of this place, or nobody can say now.
 */
export type Decrypted =
  | { readonly state: 'value'; readonly avro: Buffer }
  | { readonly state: 'erased' }
  | { readonly state: 'sealed' };

export interface DecryptorOptions {
  /** Where `lethe serve` listens. */
  readonly url: string;
  /** Of a principal with a grant: `lethe access token`, or the identity provider's. */
  readonly token: string;
  /** Longest wait for a lease, ms; default 5,000. */
  readonly timeoutMs?: number;
  /** Monotonic milliseconds; passed in for tests. */
  readonly now?: () => number;
}

/** Where values come from, as the contract names it: a value opens in its own place alone. */
export interface Place {
  /** `schema.table`. */
  readonly table: string;
  /** Column, or `column#path`. */
  readonly column: string;
  readonly classification: string;
}

interface Parsed {
  /** Key id and generation in hex. */
  readonly key: string;
  readonly bytes: Buffer;
}

/** What `lethe serve` answers. */
interface Given {
  readonly leaseMs: number;
  readonly subkeys: readonly (string | null)[];
}

interface Leased {
  readonly subkey: Buffer | null;
  readonly until: number;
}

const format = 2;
const overhead = 49;
const mostAtOnce = 500;
const mostKept = 20_000;

/**
 * Opens encrypted values with subkeys that are leased from `lethe serve`: of one table and one classification, never a person's own key. They
 * stay in memory for as long as the lease says, a minute; then a person who was erased is erased here too. It never throws.
 */
export class Decryptor {
  readonly #options: DecryptorOptions;
  readonly #now: () => number;
  readonly #leases = new Map<string, Leased>();

  constructor(options: DecryptorOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** What became of each value, in their order; null stays null. Keys that are not at hand are leased together. */
  async open(place: Place, values: readonly (Ciphertext | null)[]): Promise<(Decrypted | null)[]> {
    const parsed = values.map((value) => (value === null ? null : parse(value)));
    const scope = `${place.table}\n${place.classification}\n`;
    const missing = new Set<string>();
    const now = this.#now();
    for (const one of parsed) {
      if (!one) continue;
      const known = this.#leases.get(scope + one.key);
      if (!known || known.until <= now) missing.add(one.key);
    }
    const fresh = await this.#lease(place, scope, [...missing]);
    return parsed.map((one, i) => {
      if (values[i] === null) return null;
      if (!one) return sealed;
      const name = scope + one.key;
      const lease = missing.has(one.key) ? fresh.get(name) : this.#leases.get(name);
      if (!lease) return sealed;
      if (!lease.subkey) return { state: 'erased' };
      const avro = decrypt(lease.subkey, place, one.bytes);
      return avro ? { state: 'value', avro } : sealed;
    });
  }

  /** Those that were given; none where nobody answers or there is no right. */
  async #lease(place: Place, scope: string, keys: readonly string[]): Promise<Map<string, Leased>> {
    const fresh = new Map<string, Leased>();
    for (let from = 0; from < keys.length; from += mostAtOnce) {
      const some = keys.slice(from, from + mostAtOnce);
      const asked = this.#now();
      const given = await this.#ask(place, some);
      for (const [i, key] of some.entries()) {
        const subkey = given?.subkeys[i];
        if (given === undefined || subkey === undefined) continue;
        const lease = {
          subkey: subkey === null ? null : Buffer.from(subkey, 'base64'),
          until: asked + given.leaseMs,
        };
        fresh.set(scope + key, lease);
        this.#keep(scope + key, lease);
      }
    }
    return fresh;
  }

  async #ask({ table, classification }: Place, keys: readonly string[]): Promise<Given | undefined> {
    const { url, token, timeoutMs = 5_000 } = this.#options;
    const named = keys.map((key) => ({
      keyId: key.slice(0, 32),
      generation: Number.parseInt(key.slice(32), 16),
    }));
    try {
      const response = await fetch(new URL('/v1/keys/lease', url), {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ table, classification, keys: named }),
        // A token goes to nobody else.
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (response.status !== 200) {
        await response.arrayBuffer();
        return undefined;
      }
      const given = (await response.json()) as Partial<Given>;
      const isWhole = typeof given.leaseMs === 'number' && Array.isArray(given.subkeys);
      return isWhole ? (given as Given) : undefined;
    } catch {
      return undefined;
    }
  }

  /** The oldest leave first. */
  #keep(name: string, lease: Leased): void {
    this.#leases.delete(name);
    this.#leases.set(name, lease);
    if (this.#leases.size > mostKept) this.#leases.delete(this.#leases.keys().next().value!);
  }
}

/** The text of a value whose Avro type is `string`: its length as a zigzag varint, then UTF-8. */
export function avroText(avro: Buffer): string {
  let at = 0;
  while (avro[at]! >= 0x80) at++;
  return avro.toString('utf8', at + 1);
}

const sealed = { state: 'sealed' } as const;

/** The format is described in docs/contracts.md. */
function parse(value: Ciphertext): Parsed | undefined {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.from(value);
  if (bytes.length < overhead || bytes[0] !== format) return undefined;
  return { key: bytes.toString('hex', 1, 21), bytes };
}

function decrypt(subkey: Buffer, { table, column }: Place, bytes: Buffer): Buffer | undefined {
  const end = bytes.length - 16;
  try {
    const decipher = createDecipheriv('aes-256-gcm', subkey, bytes.subarray(21, 33));
    decipher.setAAD(joined('lethe/value/v2', table, column, bytes.subarray(1, 17)));
    decipher.setAuthTag(bytes.subarray(end));
    const body = decipher.update(bytes.subarray(33, end));
    decipher.final();
    return body;
  } catch {
    return undefined;
  }
}

/** Parts each behind its length in four bytes, the high one first. */
function joined(...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part as string);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}
