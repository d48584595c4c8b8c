import { describe, expect, it } from 'vitest';
import { readUnlessGone } from '../../../verify/places/read-unless-gone.ts';

describe('what others may delete while it is read', () => {
  /** Fails so often before it can be read. */
  const place = (failures: number) => {
    let reads = 0;
    const read = async () => {
      if (++reads <= failures) throw new Error(`attempt ${reads}`);
    };
    return { read, reads: () => reads };
  };

  it('is read again where it was made anew', async () => {
    const own = place(2);
    await readUnlessGone(own.read, async () => true, 1);
    expect(own.reads()).toBe(3);
  });

  it('holds nothing once it is gone', async () => {
    const own = place(9);
    await readUnlessGone(own.read, async () => false, 1);
    expect(own.reads()).toBe(1);
  });

  it('fails where it is there, and cannot be read', async () => {
    await expect(readUnlessGone(place(9).read, async () => true, 1)).rejects.toThrow('attempt 5');
  });
});
