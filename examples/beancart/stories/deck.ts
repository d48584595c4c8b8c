import type { Lane } from '../lane.ts';
import type { Random } from '../random.ts';
import {
  changeOneRowOften,
  growAndTouch,
  nullAndBack,
  preciseNumber,
  updateKept,
  updateProtected,
} from './column-stories.ts';
import { draft, fleeting, reinsert, reissueCode, renumberProduct, review } from './key-stories.ts';
import { bulkOrder, deleteOrder, interleaved, order, rolledBack, swapLines } from './order-stories.ts';
import { leave, mergeAccounts, renumberCustomer, rotateToken, signUp } from './people-stories.ts';

/** Something that happens in the shop: some transactions in a row. */
export type Story = (lane: Lane) => Promise<void>;

/** How often each story is in a deck. */
const deck: readonly (readonly [number, Story])[] = [
  [8, updateKept],
  [3, updateProtected('update-encrypted', ['encrypt'])],
  [2, updateProtected('update-masked', ['mask', 'truncate', 'generalise', 'redact', 'paths'])],
  [2, updateProtected('update-hashed', ['hash', 'tokenise', 'format-preserving'])],
  [2, updateProtected('update-hidden', ['drop', 'null', 'unnamed'])],
  [2, nullAndBack],
  [3, growAndTouch],
  [1, changeOneRowOften],
  [1, preciseNumber],
  [2, signUp],
  [1, leave],
  [1, mergeAccounts],
  [1, renumberCustomer],
  [1, rotateToken],
  [5, order],
  [2, deleteOrder],
  [1, swapLines],
  [1, rolledBack],
  [2, interleaved],
  [1, reinsert],
  [1, fleeting],
  [1, review],
  [1, reissueCode],
  [1, renumberProduct],
  [1, draft],
];
/** Once in so many decks, the first included. */
const bulkEvery = 5;

/** Endless stories: deck after deck, each shuffled, so that all of them come up soon and in due proportion. */
export function* stories(random: Random): Generator<Story, never> {
  for (let number = 0; ; number++) {
    const cards = deck.flatMap(([count, story]) => Array.from({ length: count }, () => story));
    if (number % bulkEvery === 0) cards.push(bulkOrder);
    for (let left = cards.length; left > 0; left--) {
      const at = random.int(0, left - 1);
      yield cards[at]!;
      cards[at] = cards[left - 1]!;
    }
  }
}
