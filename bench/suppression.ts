import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { withKeyStore } from '../keys/key-store-client.ts';
import { openKeyStore } from '../keys/open-key-store.ts';
import type { PostgresKeyStore } from '../keys/postgres-key-store.ts';
import type { BenchProject } from './bench-project.ts';

const type = 'bench-suppressed';
/** Persons of a call, as many as a batch of the transform may have. */
const batch = 500;
/** As many as the key store's caches hold; twice as many are asked for. */
const bound = 200_000;
/** Persons with keys. */
const keyed = 50_000;
/** Suppressed persons that are asked for. */
const asked = 50_000;

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
  { config }: BenchProject,
  suppressed: number,
  say: (text: string) => void,
): Promise<SuppressionCost> {
  const names = (what: string, count: number) => Array.from({ length: count }, (_, i) => `${what}${i}`);
  say(`suppressing ${suppressed} persons`);
  const keys = openKeyStore(config);
  try {
    await suppressAll({ config }, keys, suppressed);
    say('asking whether persons are suppressed');
    const ask = (ids: readonly string[], expected: boolean) =>
      perEvent(ids, async (own) => {
        const answer = await keys.areSuppressed({ type }, own);
        if (answer.some((is) => is !== expected)) throw new Error('a wrong answer');
      });
    const [one, two] = [names('a', bound), names('b', bound)];
    await ask(names('w', 10 * batch), false);
    const empty = heapMb();
    const cold = await ask(one, false);
    const full = heapMb();
    const cached = await ask(one, false);
    await ask(two, false);
    const afterTwice = heapMb();
    const hit = await ask(names('s', Math.min(asked, suppressed)), true);
    return {
      suppressed,
      areSuppressed: { cold, cached, hit },
      dataKeys: await measureKeys({ config }, names('k', keyed)),
      heapMb: { empty, full, afterTwice },
    };
  } finally {
    await keys.close();
  }
}

async function measureKeys({ config }: Pick<BenchProject, 'config'>, ids: readonly string[]) {
  const making = openKeyStore(config);
  await perEvent(ids, (own) => making.dataKeys({ type }, own));
  await making.close();
  // A process that begins: the keys are there, and it has none.
  const keys = openKeyStore(config);
  try {
    const fetch = () => perEvent(ids, (own) => keys.dataKeys({ type }, own));
    return { cold: await fetch(), cached: await fetch() };
  } finally {
    await keys.close();
  }
}

async function suppressAll(
  { config }: Pick<BenchProject, 'config'>,
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

async function perEvent(
  ids: readonly string[],
  call: (ids: readonly string[]) => Promise<unknown>,
): Promise<number> {
  const started = process.hrtime.bigint();
  for (let from = 0; from < ids.length; from += batch) await call(ids.slice(from, from + batch));
  return Math.round(Number(process.hrtime.bigint() - started) / ids.length);
}

/** What is in use once everything that is not has been collected. */
function heapMb(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return Math.round(process.memoryUsage().heapUsed / 2 ** 20);
}
