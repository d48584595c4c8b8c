import { AgeingCache } from '../pipeline/ageing-cache.ts';
import type { SubjectKind } from './key-store.ts';

/** How long and how many entries of each kind of subjects stay in memory. */
export interface CacheBounds {
  readonly maxKeys: number;
  readonly maxAgeMs: number;
}

/** What is known of subjects, by their ids, in a cache for each kind: kinds are few, and a name made of kind and id costs more than the look. */
export class KindCaches<V> {
  readonly #bounds: CacheBounds;
  readonly #now: () => number;
  readonly #caches = new Map<string, AgeingCache<string, V>>();

  constructor(bounds: CacheBounds, now: () => number) {
    this.#bounds = bounds;
    this.#now = now;
  }

  /** That of the kind, without what is too old. */
  of({ type, purpose }: SubjectKind): AgeingCache<string, V> {
    const name = purpose === undefined ? type : `${type}\n${purpose}`;
    let cache = this.#caches.get(name);
    if (!cache) {
      cache = new AgeingCache(this.#bounds.maxKeys, this.#bounds.maxAgeMs, this.#now);
      this.#caches.set(name, cache);
    }
    cache.age();
    return cache;
  }

  /** Forgets every entry of any kind that fulfils the condition. */
  forget(condition: (value: V) => boolean): void {
    for (const cache of this.#caches.values()) cache.forget(condition);
  }
}
