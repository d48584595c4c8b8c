import { hash } from 'node:crypto';
import type { CleanChange } from '../../pipeline/sink.ts';
import { formatVersion } from '../../schemas/version.ts';

/** How a store differs from what its topic makes of it, in rows. */
export interface Difference {
  readonly rows: number;
  readonly missing: number;
  /** Rows of changes that are not the newest, or of none, or twice. */
  readonly extra: number;
}

/** The newest change of each row, as a store must have it. Some 300 bytes a row; a digest stands for a key. */
export class NewestChanges {
  private readonly newest = new Map<string, { readonly version: string; readonly eventId: string | null }>();

  /** Takes a change that the store took; of equal versions the later one counts. */
  note({ key, version, row, eventId }: CleanChange): void {
    const digest = hash('sha256', key, 'base64url').slice(0, 22);
    const text = formatVersion(version);
    const known = this.newest.get(digest);
    if (known && known.version > text) return;
    this.newest.set(digest, { version: text, eventId: row === null ? null : eventId });
  }

  /** Compares them with the event ids of the rows that stand in a store, deleted ones left out. */
  async compare(found: AsyncIterable<readonly string[]>): Promise<Difference> {
    const wanted = new Map<string, number>();
    for (const { eventId } of this.newest.values())
      if (eventId !== null) wanted.set(eventId, (wanted.get(eventId) ?? 0) + 1);
    const rows = [...wanted.values()].reduce((sum, n) => sum + n, 0);
    let extra = 0;
    for await (const some of found) {
      for (const id of some) {
        const left = wanted.get(id) ?? 0;
        if (left === 0) extra++;
        else wanted.set(id, left - 1);
      }
    }
    return { rows, missing: [...wanted.values()].reduce((sum, n) => sum + n, 0), extra };
  }
}
