import { hash } from 'node:crypto';

/** Which of so many shares of all keys this one belongs to: the same on both sides, whatever order they have. */
export function shareOf(key: string, shares: number): number {
  return hash('sha256', key, 'buffer').readUInt32BE(0) % shares;
}
