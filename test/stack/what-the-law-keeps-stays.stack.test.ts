import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noteEnded, readRetained } from '../../erasure/retained-rows.ts';
import { associatedData, decrypt } from '../../keys/ciphertext.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { packageRoot } from '../../stack/package-root.ts';
import { clickhouseDatabase, clickhouseView, indexAlias } from '../../schemas/names.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { encryptUse } from '../../transforms/protection.ts';
import type { Canary } from '../../verify/canary.ts';
import { pipelinePlaces } from '../../verify/places/pipeline-places.ts';
import { scanForCanaries } from '../../verify/scan.ts';
import { LetheCommands } from '../support/lethe-commands.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const head = (table: string, subject: string) => `table: public.${table}
owner: o
tier: 1
subject: { type: customer, ${subject} }
sinks: [elasticsearch, clickhouse]
staleness: 30s
`;
const invoices = `${head('invoices', 'key: customer_id')}consent: { purpose: bookkeeping, path: [customer_id, public.settings.agreed], granted: [yes] }
erasure:
  source: 'null'
  columns: [email]
  retain: { columns: [number, total, iban], basis: 'HGB section 257', for: 10y }
columns:
  id: { classification: internal, action: keep }
  customer_id: { classification: person.id, action: keep }
  number: { classification: internal, action: keep }
  email: { classification: person.contact, action: encrypt }
  iban: { classification: payment.bank, action: encrypt }
  total: { classification: internal, action: keep }
`;
const lines = `${head('lines', 'path: [invoice_id, public.invoices.customer_id]')}erasure:
  retain: { columns: [article], basis: 'HGB section 257', for: 10y }
columns:
  invoice_id: { classification: internal, action: hash }
  line: { classification: internal, action: keep }
  article: { classification: internal, action: keep }
  remark: { classification: internal, action: keep }
`;

const receipts = `${head('receipts', 'key: customer_id')}truncate: delete
erasure: { retain: { columns: [amount], basis: 'HGB section 257', for: 6y } }
columns:
  id: { classification: internal, action: keep }
  customer_id: { classification: person.id, action: keep }
  amount: { classification: internal, action: keep }
`;

// Their consents are looked up there: at a table that no person's path leads over, and whose rows the erasure deletes.
const settings = `${head('settings', 'key: customer_id')}erasure: { source: delete }
columns:
  customer_id: { classification: person.id, action: keep }
  agreed: { classification: internal, action: keep }
`;

interface KeptInvoice {
  readonly id: number;
  readonly customer_id: number | null;
  readonly number: string;
  readonly email: string | null;
  readonly iban: string;
  readonly total: number;
}

/** What a person's invoices come to, by law, when the person is forgotten. */
describe('what the law has to be kept', { timeout: 600_000 }, () => {
  let live: LivePipeline;
  let client: Client;
  let commands: LetheCommands;

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(
      await acquireStack(),
      {
        'invoices.yaml': invoices,
        'lines.yaml': lines,
        'receipts.yaml': receipts,
        'settings.yaml': settings,
      },
      2,
    );
    commands = new LetheCommands(live);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(`
      create table invoices (id int primary key, customer_id int not null, number text not null, email text,
        iban text not null, total int not null);
      create index on invoices (customer_id);
      create table lines (invoice_id int not null, line int, article text not null,
        remark text not null, primary key (invoice_id, line));
      create table receipts (id int primary key, customer_id int not null, amount text not null);
      create index on receipts (customer_id);
      create table settings (customer_id int primary key, agreed text not null);
      insert into settings select i, case when i <= 8 then 'yes' else 'no' end from generate_series(1, 10) i;
      insert into receipts select i, i, 'EUR ' || i from generate_series(1, 10) i;
      insert into invoices select i, 1 + i % 10, 'R-' || i, 'mail-' || i, 'DE-' || i, 100 * i
        from generate_series(1, 40) i;
      insert into lines select i, l, 'article ' || i || '/' || l, 'remark ' || i
        from generate_series(1, 40) i, generate_series(1, 2) l`);
    await live.apply();
    await live.ready(live.run());
    await live.expectEqual();
  }, 300_000);
  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  /** Rows of a table with one of these texts, as readers of each store see them. */
  async function readersSee(table: string, column: string, texts: readonly string[]) {
    const { config } = live.project!;
    const clickhouse = createClickhouseClient(config.clickhouse!);
    const elasticsearch = createElasticsearchClient(config.elasticsearch!);
    try {
      const answer = await clickhouse.query({
        query: `select * except(\`_lethe_.*\`) from {database:Identifier}.{view:Identifier} where ${column} in {texts:Array(String)} order by ${column}`,
        query_params: {
          database: clickhouseDatabase(config),
          view: clickhouseView(`public.${table}`),
          texts,
        },
        format: 'JSONEachRow',
      });
      const alias = indexAlias(config, `public.${table}`);
      await elasticsearch.indices.refresh({ index: alias });
      const found = await elasticsearch.search<Record<string, unknown>>({ index: alias, size: 1_000 });
      const documents = found.hits.hits
        .map(({ _source }) => _source ?? {})
        .filter((row) => texts.includes(String(row[column])));
      return {
        clickhouse: await answer.json<Record<string, unknown>>(),
        elasticsearch: documents.toSorted((a, b) => (String(a[column]) < String(b[column]) ? -1 : 1)),
      };
    } finally {
      await clickhouse.close();
      await elasticsearch.close();
    }
  }

  const numbers = ['R-16', 'R-26', 'R-36', 'R-6'];
  const kept = async () => {
    const seen = await readersSee('invoices', 'number', numbers);
    return {
      clickhouse: seen.clickhouse as unknown as KeptInvoice[],
      elasticsearch: seen.elasticsearch as unknown as KeptInvoice[],
    };
  };
  const ledger = () => withKeyStore(live.project!.config, (store) => readRetained(store));

  it('is said beforehand', async () => {
    const planned = await commands.run([
      'erase',
      '--subject',
      'customer:7',
      '--reason',
      'Art. 17',
      '--dry-run',
    ]);
    expect(planned.code, planned.err).toBe(0);
    expect(planned.out).toContain(
      'public.invoices: number, total, iban stay for 10y, under ids drawn by lot (HGB section 257)',
    );
  });

  it('is taken back with the request, as long as the key is there', async () => {
    const killed = await commands.run(
      ['erase', '--subject', 'customer:7', '--reason', 'Art. 17', '--request-id', 'mistake'],
      {
        LETHE_TEST_CRASH: 'retained/done',
        NODE_OPTIONS: `--import ${join(packageRoot(), 'test', 'support', 'erasure-crash.mjs')}`,
      },
    );
    expect(killed.signal, killed.err).toBe('SIGKILL');
    expect(await ledger()).toHaveLength(13);
    const cancelled = await commands.run(['erase', 'cancel', 'mistake']);
    expect(cancelled.code, cancelled.err).toBe(0);
    expect(await ledger()).toEqual([]);
    // Where that was cut short, it is due by itself: the person is back.
    const due = await withKeyStore(live.project!.config, async (store) => {
      await store.query(
        `update lethe_erasure.retained set ended_at = null where dataset = 'public.receipts'`,
      );
      const rows = await readRetained(store, { due: true });
      await noteEnded(store, rows);
      return rows;
    });
    expect(due.map(({ request }) => request)).toEqual(['mistake']);
    const everything = JSON.stringify([
      [4, 4, 4],
      [8, 8, 8],
      [1, 1, 1],
      [1, 1, 1],
    ]);
    await waitUntil(
      async () => JSON.stringify(await commands.countsOf(7)) === everything,
      60_000,
      'the rows',
    );
    await live.expectEqual();
  });

  it('stays under ids drawn by lot, though the command is killed; what else was of the person is gone', async () => {
    const killed = await commands.run(
      ['erase', '--subject', 'customer:7', '--reason', 'Art. 17', '--request-id', 'first'],
      {
        LETHE_TEST_CRASH: 'retained/done',
        NODE_OPTIONS: `--import ${join(packageRoot(), 'test', 'support', 'erasure-crash.mjs')}`,
      },
    );
    expect(killed.signal, killed.err).toBe('SIGKILL');
    const drawn = (await ledger()).map(({ recordKey }) => recordKey);
    const done = await commands.run(['erase', 'resume', 'first', '--json']);
    expect(done.code, done.err).toBe(0);
    // Done again it drew the same.
    expect((await ledger()).map(({ recordKey }) => recordKey)).toEqual(drawn);

    const { rows } = await client.query(
      'select count(*)::int as n, count(email)::int as mails from invoices where customer_id = 7',
    );
    expect(rows).toEqual([{ n: 4, mails: 0 }]);
    const seen = await kept();
    for (const place of [seen.clickhouse, seen.elasticsearch]) {
      expect(
        place.map(({ number, total, customer_id, email }) => ({ number, total, customer_id, email })),
      ).toEqual(
        numbers.map((number) => ({
          number,
          total: 100 * Number(number.slice(2)),
          customer_id: null,
          email: null,
        })),
      );
      for (const { id } of place) expect(id).toBeLessThan(0);
    }
    const articles = numbers.flatMap((n) => [1, 2].map((l) => `article ${n.slice(2)}/${l}`)).toSorted();
    const ofLines = await readersSee('lines', 'article', articles);
    for (const place of [ofLines.clickhouse, ofLines.elasticsearch]) {
      expect(place.map(({ article, remark }) => ({ article, remark }))).toEqual(
        articles.map((article) => ({ article, remark: null })),
      );
    }
    await live.expectEqual();
  });

  it('opens under a key of its own, which is not the person’s', async () => {
    const [row] = (await kept()).elasticsearch;
    const ciphertext = Buffer.from(row!.iban, 'base64');
    const { config, datasets } = live.project!;
    const keys = openKeyStore(config);
    try {
      const column = datasets
        .find(({ table }) => table === 'public.invoices')!
        .columns.find(({ name }) => name === 'iban')!;
      const keyId = (await ledger()).find(({ dataset }) => dataset === 'public.invoices')!.keyId!;
      const key = await keys.keyById(Buffer.from(keyId.replaceAll('-', ''), 'hex'), 1);
      const plain = decrypt(
        key!,
        encryptUse('public.invoices', column.rule),
        associatedData('public.invoices', 'iban'),
        ciphertext,
      );
      // Avro's form of a text is its length and its bytes.
      expect(plain?.subarray(1).toString()).toBe('DE-16');
    } finally {
      await keys.close();
    }
  });

  it('stands in the certificate, with basis and date', async () => {
    const { certificate } = await commands.json<{
      certificate: {
        retained: { table: string; rows: number; columns: string[]; basis: string; until: string }[];
        suppressedAt: string;
      };
    }>('erase', 'certificate', 'first');
    const yearsLater = (years: number): string => {
      const until = new Date(certificate.suppressedAt);
      until.setUTCFullYear(until.getUTCFullYear() + years);
      return until.toISOString();
    };
    expect(certificate.retained.toSorted((a, b) => (a.table < b.table ? -1 : 1))).toEqual([
      {
        table: 'public.invoices',
        columns: ['number', 'total', 'iban'],
        rows: 4,
        basis: 'HGB section 257',
        until: yearsLater(10),
      },
      {
        table: 'public.lines',
        columns: ['article'],
        rows: 8,
        basis: 'HGB section 257',
        until: yearsLater(10),
      },
      {
        table: 'public.receipts',
        columns: ['amount'],
        rows: 1,
        basis: 'HGB section 257',
        until: yearsLater(6),
      },
    ]);
    const listed = await commands.run(['erase', 'retained']);
    expect(listed.out).toContain('HGB section 257');
  });

  it('stays through a reconciliation, rebuilt stores and later changes of the source', async () => {
    await client.query(`update invoices set total = total + 1 where customer_id in (7, 8)`);
    await live.expectEqual();
    for (const args of [
      ['reconcile', 'invoices', '--repair', '--json'],
      ['rebuild', 'elasticsearch', 'invoices'],
      ['rebuild', 'elasticsearch', 'invoices', '--confirm'],
      ['rebuild', 'clickhouse', 'invoices', '--snapshot'],
      ['rebuild', 'clickhouse', 'invoices', '--confirm'],
    ]) {
      const { code, err, out } = await commands.run(args);
      expect(code, `${args.join(' ')}: ${err}${out}`).toBe(0);
    }
    await live.expectEqual();
    const seen = await kept();
    expect(seen.clickhouse.map(({ total }) => total)).toEqual([1_600, 2_600, 3_600, 600]);
    expect(seen.elasticsearch.map(({ total }) => total)).toEqual([1_600, 2_600, 3_600, 600]);
  });

  it('is not deleted where the ledger is lost', async () => {
    const { config } = live.project!;
    await withKeyStore(config, async (store) => {
      await store.query(
        `create table lost as select * from lethe_erasure.retained where dataset = 'public.receipts'`,
      );
      await store.query(`delete from lethe_erasure.retained where dataset = 'public.receipts'`);
    });
    const { code, out } = await commands.run(['reconcile', 'receipts', '--repair', '--json']);
    expect(code, out).toBe(1);
    await withKeyStore(config, async (store) => {
      await store.query('insert into lethe_erasure.retained select * from lost');
      await store.query('drop table lost');
    });
    await live.expectEqual();
    expect((await readersSee('receipts', 'amount', ['EUR 7'])).clickhouse).toHaveLength(1);
  });

  it('outlives a TRUNCATE at the source', async () => {
    await client.query('truncate receipts');
    await live.expectEqual();
    const seen = await readersSee('receipts', 'amount', ['EUR 7', 'EUR 8']);
    for (const place of [seen.clickhouse, seen.elasticsearch])
      expect(place.map(({ amount }) => amount)).toEqual(['EUR 7']);
  });

  it('goes when its time is over, from topics, stores and disks', async () => {
    const { config, contracts } = live.project!;
    const before = await ledger();
    expect((await commands.json<{ ended: number }>('erase', 'retained', '--end')).ended).toBe(0);
    const keysOf = [...new Set(before.flatMap(({ keyId }) => keyId ?? []))];
    expect(keysOf).toHaveLength(1);
    await withKeyStore(config, (store) =>
      store.query(`update lethe_erasure.retained set until = now() - interval '1 day'`),
    );
    const ended = await commands.run(['erase', 'retained', '--end', '--json']);
    expect(ended.code, ended.err).toBe(0);
    expect(JSON.parse(ended.out)).toEqual({ ended: 13 });
    expect(await ledger()).toEqual([]);
    expect((await kept()).clickhouse).toEqual([]);
    expect((await kept()).elasticsearch).toEqual([]);
    const canaries: Canary[] = keysOf.map((id) => ({
      table: 'kept',
      column: 'key',
      action: 'encrypt',
      bytes: [Buffer.from(id.replaceAll('-', ''), 'hex')],
    }));
    const places = pipelinePlaces(
      config,
      contracts.map(({ contract }) => contract),
      { logs: live.logs() },
    );
    const reports = await scanForCanaries({ places, canaries });
    expect(reports.filter(({ found }) => found > 0).map(({ place }) => place)).toEqual([]);
    const keys = openKeyStore(config);
    try {
      expect(await keys.keyById(Buffer.from(keysOf[0]!.replaceAll('-', ''), 'hex'), 1)).toBeNull();
    } finally {
      await keys.close();
    }
    await live.expectEqual();
  });
});
