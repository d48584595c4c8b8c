import { existsSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chinookSql, loadChinook } from '../chinook/load.ts';
import { LivePipeline } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

/** The published script lies beside the checkout where the tests are developed; elsewhere this is skipped, and says so. */
describe.runIf(existsSync(chinookSql))('Chinook, a database nobody here wrote', () => {
  let live: LivePipeline;
  let client: Client;

  beforeAll(async () => {
    live = await LivePipeline.create(await acquireStack(), 'test/chinook/lethe.yaml', 3);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await loadChinook(client, chinookSql);
    await live.apply();
    await live.ready(live.run());
  });

  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  it('all 11 tables arrive equal as published, composite keys among them', async () => {
    const comparisons = await live.expectEqual();
    expect(comparisons.length).toBe(11);
    expect(comparisons.reduce((sum, c) => sum + c.rows, 0)).toBe(15_607);
  });

  it('and stay equal under changes, key changes and deletes', async () => {
    await client.query(
      `update customer set email = 'new@example.org', company = null where customer_id % 7 = 0`,
    );
    await client.query(
      `update playlist_track set track_id = track_id + 0 where playlist_id = 1 and track_id < 100`,
    );
    await client.query(
      `update playlist set playlist_id = 1018 where playlist_id = 18 and not exists (select 1 from playlist_track t where t.playlist_id = 18)`,
    );
    await client.query(`delete from invoice_line where invoice_id % 5 = 0`);
    await client.query(`insert into genre (genre_id, name) values (900, null), (901, 'Käse|% "quoted"')`);
    await live.expectEqual();
  });
});
