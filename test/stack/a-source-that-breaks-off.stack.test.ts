import { afterAll, beforeAll, expect, it } from 'vitest';
import { SourceLook } from '../../connectors/postgres/source-look.ts';
import { withSource } from '../../connectors/postgres/source-client.ts';
import { acquireStack, freshDatabase, type TestDatabase } from '../support/stack.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await freshDatabase((await acquireStack()).endpoints, 'breaks');
});
afterAll(() => database.drop());

it('a connection that breaks between two statements of a look fails the next statement, and nothing else', async () => {
  const postgres = { url: database.url };
  let breaks = true;
  const look = new SourceLook({ postgres }, async (client) => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    if (breaks) {
      const gone = new Promise((resolve) => client.once('end', resolve));
      await withSource(postgres, (other) => other.query('select pg_terminate_backend($1)', [rows[0]!.pid]));
      await gone;
    }
    return (await client.query<{ one: number }>('select 1 as one')).rows[0]!.one;
  });
  // An error that nobody hears fails the run, as it ends a process.
  await expect(look.look()).rejects.toMatchObject({ code: 'UNREACHABLE' });
  breaks = false;
  expect(await look.look()).toBe(1);
  await look.close();
});
