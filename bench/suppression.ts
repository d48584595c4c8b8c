import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { withKeyStore } from '../keys/key-store-client.ts';
import { openKeyStore } from '../keys/open-key-store.ts';
import type { PostgresKeyStore } from '../keys/postgres-key-store.ts';
import type { Config } from '../schemas/config.ts';
import { median } from './statistics.ts';

const type = 'bench-suppressed';
/** Persons of a call, as many as a batch of the transform may have. */
const batch = 500;
/** As many as the key store's caches hold at most; they keep no fewer than the half of them that came last. */
const bound = 200_000;
/** Persons that are asked for again: all of them are at hand then. */
const atHand = 90_000;
/** Persons with keys. */
const keyed = 50_000;
/** Suppressed persons that are asked for. */
const asked = 50_000;
/** Each figure of what is at hand is the median of so many looks at all of it. */
const rounds = 5;

/** Nanoseconds for each event of another person, in batches of 500; megabytes of heap. */
export interface SuppressionCost {
  readonly suppressed: number;
  /** Whether somebody may pass: never asked before, asked before, and suppressed, which is asked each time. */
  readonly areSuppressed: { readonly cold: number; readonly cached: number; readonly hit: number };
  /** The key, and with it whether somebody may pass: from the database, and from memory. */
  readonly dataKeys: { readonly cold: number; readonly cached: number };
  /** Before anybody is known, with the cache full, and after as many persons more. */
  readonly heapMb: { readonly empty: number; readonly full: number; readonly afterTwice: number };
}

/** What looking for suppressed persons costs where so many are. They were suppressed long ago; nobody is suppressed meanwhile. */
export async function measureSuppression(
  config: Pick<Config, 'keys'>,
  suppressed: number,
  say: (text: string) => void,
): Promise<SuppressionCost> {
  say(`suppressing ${suppressed} persons`);
  const keys = openKeyStore(config);
  try {
    await suppressAll(config, keys, suppressed);
    say('asking whether persons are suppressed');
    const ask = (prefix: string, count: number, expected = false) =>
      perEvent(prefix, count, async (own) => {
        const answer = await keys.areSuppressed({ type }, own);
        if (answer.some((is) => is !== expected)) throw new Error('a wrong answer');
      });
    // Compiles what is measured, and pushes nobody out who is asked for again.
    await ask('w', 10 * batch);
    const empty = heapMb();
    const cold = await ask('a', atHand);
    const cached = await medianOf(() => ask('a', atHand));
    await ask('b', bound);
    const full = heapMb();
    await ask('c', bound);
    const afterTwice = heapMb();
    const hit = await ask('s', Math.min(asked, suppressed), true);
    return {
      suppressed,
      areSuppressed: { cold, cached, hit },
      dataKeys: await measureKeys(config),
      heapMb: { empty, full, afterTwice },
    };
  } finally {
    await keys.close();
  }
}

async function measureKeys(config: Pick<Config, 'keys'>) {
  const making = openKeyStore(config);
  await perEvent('k', keyed, (own) => making.dataKeys({ type }, own));
  await making.close();
  // A process that begins: the keys are there, and it has none.
  const keys = openKeyStore(config);
  try {
    const fetch = () => perEvent('k', keyed, (own) => keys.dataKeys({ type }, own));
    return { cold: await fetch(), cached: await medianOf(fetch) };
  } finally {
    await keys.close();
  }
}

async function suppressAll(
  config: Pick<Config, 'keys'>,
  keys: PostgresKeyStore,
  count: number,
): Promise<void> {
  await withKeyStore(config, async (client) => {
    for (let from = 0; from < count; from += 10_000) {
      const digests: Buffer[] = [];
      for (let i = from; i < Math.min(count, from + 10_000); i++)
        digests.push(await keys.subjectDigest({ type }, `s${i}`));
      await client.query(
        `insert into lethe_keys.suppressed (subject_type, subject_digest, request, suppressed_at)
         select $1, d, 'bench', now() - interval '1 day' from unnest($2::bytea[]) as t (d)`,
        [type, digests],
      );
    }
    await client.query('analyze lethe_keys.suppressed');
  });
}

/** In the order of a shuffle, and texts of their own each time, as events bring them: a text that was looked up before knows its hash. */
async function perEvent(
  prefix: string,
  count: number,
  call: (ids: readonly string[]) => Promise<unknown>,
): Promise<number> {
  let spent = 0n;
  for (let from = 0; from < count; from += batch) {
    const length = Math.min(batch, count - from);
    const ids = Array.from({ length }, (_, i) =>
      Buffer.from(`${prefix}${((from + i) * stride) % count}`).toString('latin1'),
    );
    const started = process.hrtime.bigint();
    await call(ids);
    spent += process.hrtime.bigint() - started;
  }
  return Math.round(Number(spent) / count);
}
/** A prime that divides no count here: every number once, each far from the one before. */
const stride = 7_919;

async function medianOf(measure: () => Promise<number>): Promise<number> {
  const figures: number[] = [];
  while (figures.length < rounds) figures.push(await measure());
  return median(figures);
}

/** What is in use once everything that is not has been collected. */
function heapMb(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return Math.round(process.memoryUsage().heapUsed / 2 ** 20);
}
