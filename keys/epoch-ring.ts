import { LetheError } from '../schemas/errors.ts';
import { lengthPrefixed } from '../schemas/length-prefixed.ts';
import type { MasterKeys } from './master/master-key.ts';

/** Runs a statement; fails with a LetheError. */
export type Query = <R extends object>(text: string, values?: unknown[]) => Promise<{ rows: R[] }>;

/** An epoch and its key. */
export interface EpochKey {
  readonly epoch: number;
  readonly key: Buffer;
}

interface EpochRow {
  readonly store: string;
  readonly epoch: number;
  readonly master_kind: string;
  readonly master_name: string;
  readonly wrapped: Buffer;
  readonly state: string;
}

const maxAgeMs = 30_000;

/**
 * The epochs' keys of a key store, as far as they are not destroyed: one call to the master keys for each epoch that is met. What has been
 * destroyed is forgotten here with the next look at the table, at most half a minute later.
 */
export class EpochRing {
  readonly #query: Query;
  readonly #master: MasterKeys;
  readonly #now: () => number;
  readonly #keys = new Map<number, Buffer>();
  #open: number | undefined;
  #lookedMs = -Infinity;

  constructor(query: Query, master: MasterKeys, now: () => number = () => performance.now()) {
    this.#query = query;
    this.#master = master;
    this.#now = now;
  }

  /** The epoch that new keys are wrapped under; KEY_STORE_INVALID where there is none. */
  async current(): Promise<EpochKey> {
    if (this.#open === undefined || this.#now() - this.#lookedMs > maxAgeMs) await this.look();
    if (this.#open === undefined) throw notSetUp();
    return { epoch: this.#open, key: this.#keys.get(this.#open)! };
  }

  /** Has {@link keyOf} have these, as far as they are not destroyed; are they all there? */
  async load(epochs: ReadonlySet<number>): Promise<boolean> {
    const areThere = () => [...epochs].every((epoch) => this.#keys.has(epoch));
    if (!areThere() || this.#now() - this.#lookedMs > maxAgeMs) await this.look();
    return areThere();
  }

  /** KEY_STORE_INVALID for one that was destroyed, or is not loaded. */
  keyOf(epoch: number): Buffer {
    const key = this.#keys.get(epoch);
    if (key) return key;
    throw new LetheError('KEY_STORE_INVALID', `epoch ${epoch} of the key store was destroyed`, {
      fix: 'What is wrapped under it is erased for good. A key store that was restored from an older backup: docs/keys.md.',
    });
  }

  /** Looks at the table now: which epoch is open, and which are gone. */
  async look(): Promise<void> {
    const { rows } = await this.#query<EpochRow>(
      `select s.id::text as store, e.epoch, e.master_kind, e.master_name, e.wrapped, e.state
         from lethe_keys.epochs e cross join lethe_keys.store s where e.wrapped is not null`,
    );
    const there = new Set(rows.map(({ epoch }) => epoch));
    for (const epoch of this.#keys.keys()) if (!there.has(epoch)) this.#keys.delete(epoch);
    for (const row of rows) {
      if (!this.#keys.has(row.epoch)) this.#keys.set(row.epoch, await this.#unwrap(row));
    }
    this.#open = rows.find(({ state }) => state === 'open')?.epoch;
    this.#lookedMs = this.#now();
  }

  async #unwrap({ store, epoch, master_kind, master_name, wrapped }: EpochRow): Promise<Buffer> {
    if (master_kind !== this.#master.kind) {
      throw new LetheError(
        'KEY_STORE_INVALID',
        `the key store was made with master keys of kind ${master_kind}, not ${this.#master.kind}`,
        { fix: 'Name them in keys.master.' },
      );
    }
    return this.#master.unwrap(master_name, wrapped, epochContext(store, epoch));
  }
}

/** What an epoch's wrapped key is bound to. */
export function epochContext(store: string, epoch: number): Buffer {
  return lengthPrefixed('lethe/epoch/v2', store, String(epoch));
}

/** `state`: the SQLSTATE that says so, which stands in the error's cause. */
export function notSetUp(state = 'no rows'): LetheError {
  return new LetheError('KEY_STORE_INVALID', 'the key store is not set up', {
    fix: 'Run `lethe apply`.',
    cause: new Error(state),
  });
}
