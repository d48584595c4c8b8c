import type { CommittedReader } from './committed-reader.ts';
import { type PayloadOpener, splitPayload } from './dead-letters.ts';
import type { LetterBox } from './letter-box.ts';
import { type LetterPlace, type OpenLetter, readOpenLetters, readSealed } from './open-letters.ts';

/** What a dead letter holds: bytes as they came, of a raw or of a clean record by its stage. */
export interface LetterPayload {
  readonly key: Buffer | null;
  /** Null where there was none, or it was too long to be kept. */
  readonly value: Buffer | null;
}

export interface PurgeLettersParts {
  readonly reader: Pick<CommittedReader, 'read'>;
  readonly opener: PayloadOpener;
  readonly box: Pick<LetterBox, 'settle'>;
}

/** What became of the letters, in numbers; and those that are settled, for whoever waits until their bytes are gone. */
export interface PurgedLetters {
  readonly looked: number;
  readonly settled: readonly OpenLetter[];
  /** Nobody can open them any more: the key is gone. They are left as they are. */
  readonly erased: number;
  /** They are no letters of this key store, or were changed: a person must look. They are left as they are. */
  readonly unreadable: number;
}

/**
 * Settles the open letters of these topics whose payload `concerns` says is to go; without one that can be opened nobody knows. It is called
 * again after whatever failure: what is settled is not open any more. Payloads stay in memory as long as they are looked at. The
 * segments close with the letter box.
 */
export async function purgeLetters(
  { reader, opener, box }: PurgeLettersParts,
  places: readonly LetterPlace[],
  concerns: (letter: OpenLetter, payload: LetterPayload) => boolean | Promise<boolean>,
): Promise<PurgedLetters> {
  const open = await readOpenLetters(reader, places);
  const settled: OpenLetter[] = [];
  const counts = { looked: 0, erased: 0, unreadable: 0 };
  for await (const sealed of readSealed(reader, open)) {
    const due: OpenLetter[] = [];
    for (const { letter, sealed: bytes } of sealed) {
      counts.looked++;
      const opened = await opener.open(bytes, letter.letterTopic);
      const payload = opened.kind === 'opened' ? splitPayload(opened.payload) : undefined;
      if (payload) {
        if (await concerns(letter, payload)) due.push(letter);
      } else counts[opened.kind === 'erased' ? 'erased' : 'unreadable']++;
    }
    await box.settle(due);
    settled.push(...due);
  }
  return { ...counts, settled };
}
