import { openProject, type Project } from '../cli/project.ts';
import { waitForSinks } from '../cli/wait-for-sinks.ts';
import { quoteName, quoteTable } from '../connectors/postgres/quote.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import { withKeyStore } from '../keys/key-store-client.ts';
import { openKeyStore } from '../keys/open-key-store.ts';
import { publicationName } from '../schemas/names.ts';
import { formatVersion, zeroVersion } from '../schemas/version.ts';
import type { BenchProject } from './bench-project.ts';
import { indexPersons, insertPersons, personalTables, subjectType } from './erasure-tables.ts';

/** Persons of a transaction; more of them where no pipeline follows. */
const [atOnce, atOnceAside] = [1_000, 10_000];
/** Persons whose rows may be under way: a replication slot that is too far behind is lost. */
const atMostAhead = 100_000;

interface LoadParts {
  readonly bench: BenchProject;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** The persons' rows at the source, and by the whole pipeline in topics, index, key store and both stores. */
export async function loadThrough(
  { bench, signal, say }: LoadParts,
  first: number,
  last: number,
): Promise<Project> {
  const project = await openProject(bench.configPath);
  for (let from = first; from <= last; from += atMostAhead) {
    const to = Math.min(last, from + atMostAhead - 1);
    say(`writing the rows of persons ${from} to ${to}, and waiting for both stores to have them`);
    await insertRange(bench, from, to, atOnce, signal);
    await waitForSinks(project.config, project.datasets, { signal });
  }
  return project;
}

/**
 * The persons' rows at the source and in the index alone: the publication leaves their tables out meanwhile, so that no topic and no store
 * gets them. What is written to the WAL is passed by then.
 */
export async function loadAside(
  { bench, signal, say }: LoadParts,
  first: number,
  last: number,
): Promise<void> {
  const { config, datasets } = await openProject(bench.configPath);
  const name = quoteName(publicationName(config));
  const alter = (sql: string) =>
    withSource(config.postgres, (client) => client.query(`alter publication ${name} ${sql}`));
  say(`writing the rows of persons ${first} to ${last}, past the pipeline`);
  await alter(`drop table ${datasets.map(({ table }) => quoteTable(table)).join(', ')}`);
  try {
    await insertRange(bench, first, last, atOnceAside, signal);
  } finally {
    const lists = datasets.map(
      ({ table, published }) => `${quoteTable(table)} (${published.map(quoteName).join(', ')})`,
    );
    await alter(`add table ${lists.join(', ')}`);
  }
  say(`writing their records into the index`);
  await indexRange(bench, first, last, signal);
  await waitForSinks(config, datasets, { signal });
  await withSource(config.postgres, (client) => client.query('analyze'));
}

async function insertRange(
  { config }: BenchProject,
  first: number,
  last: number,
  step: number,
  signal: AbortSignal,
): Promise<void> {
  await withSource(config.postgres, async (client) => {
    await client.query('set synchronous_commit = off');
    for (let from = first; from <= last; from += step) {
      signal.throwIfAborted();
      const to = Math.min(last, from + step - 1);
      await client.query('begin');
      for (const table of personalTables) await client.query(insertPersons(table), [from, to]);
      await client.query('commit');
    }
  });
}

async function indexRange({ config }: BenchProject, first: number, last: number, signal: AbortSignal) {
  const version = formatVersion(zeroVersion);
  const keys = openKeyStore(config);
  try {
    await withKeyStore(config, async (client) => {
      await client.query('set synchronous_commit = off');
      for (let from = first; from <= last; from += atOnceAside) {
        signal.throwIfAborted();
        const persons = Array.from({ length: Math.min(atOnceAside, last - from + 1) }, (_, i) => from + i);
        const digests: Buffer[] = [];
        for (const person of persons)
          digests.push(await keys.subjectDigest({ type: subjectType }, String(person)));
        for (const table of personalTables) {
          await client.query(indexPersons(table, version), [persons, digests]);
        }
      }
      await client.query('analyze lethe_erasure.records');
    });
  } finally {
    await keys.close();
  }
}
