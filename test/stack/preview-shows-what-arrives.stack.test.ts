import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { cleanValue } from '../../cli/clean-value.ts';
import { type Preview, previewTable } from '../../cli/preview.ts';
import { waitForSinks } from '../../cli/wait-for-sinks.ts';
import { canaries } from '../../examples/beancart/canaries.ts';
import { loadSample, loadSchema } from '../../examples/beancart/sample.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { readTopics } from '../../pipeline/read-topics.ts';
import { encrypts } from '../../schemas/column-rule.ts';
import { cleanTopic } from '../../schemas/names.ts';
import { Registry } from '../../schemas/registry.ts';
import { LivePipeline } from '../support/live-pipeline.ts';
import { LetheProject } from '../support/lethe-project.ts';
import { acquireStack } from '../support/stack.ts';

const mark = 'zq7_canary_';

/** Column, type, rule, values. */
const columns: readonly (readonly [name: string, type: string, rule: string, values: readonly string[]])[] = [
  ['flag', 'boolean', 'keep', ['true', 'false']],
  ['tiny', 'smallint', 'keep', ['32767', '-32768']],
  ['big', 'bigint', 'keep', ['9223372036854775807', '-9223372036854775808']],
  ['real4', 'real', 'keep', ['0.1', '3.4028235e38', '-0']],
  ['real8', 'double precision', 'keep', ['0.1', '1e-300', '1.7976931348623157e308']],
  ['amount', 'numeric(12,2)', 'keep', ['1234.50', '-0.01']],
  ['exact', 'numeric', 'keep', ['0.00000001', '12345678901234567890.123', 'NaN']],
  ['label', 'varchar(40)', 'keep', ['Zoë 👩🏽‍🚀', '']],
  ['code', 'char(5)', 'keep', ['ab', 'abcde']],
  ['uid', 'uuid', 'keep', ['A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11']],
  ['ip', 'inet', 'keep', ['192.0.2.7', '10.1.0.0/16', '::1']],
  ['net', 'cidr', 'generalise, to: network', ['192.0.2.0/24', '2001:db8::/32']],
  ['mac', 'macaddr', 'keep', ['08:00:2b:01:02:03']],
  ['day', 'date', 'keep', ['2000-02-29', '1900-01-01', '1582-10-15']],
  ['month', 'date', 'generalise, to: month', ['1987-05-06']],
  ['at', 'time', 'keep', ['24:00', '12:30:00.5', '00:00']],
  ['zoned', 'timetz', 'keep', ['12:30:00.5+02', '24:00:00+00', '24:00:00+02', '00:10:00+05:30']],
  [
    'local',
    'timestamp',
    'keep',
    ['2024-02-29 12:00:00.123456', '1969-12-31 23:59:59', '0044-03-15 12:00 BC'],
  ],
  [
    'seen',
    'timestamptz',
    'keep',
    ['2024-02-29 12:00:00.5+02', 'infinity', '0044-03-15 12:00:00+00 BC', '12024-01-01 00:00Z'],
  ],
  ['seen_ms', 'timestamptz(3)', 'keep', ['2024-02-29 12:00:00.5+02', '1960-01-01 00:00:00Z']],
  ['seen_s', 'timestamptz(0)', 'hash', ['2024-02-29 12:00:00+02']],
  ['span', 'interval', 'keep', ['1 year 2 mons -3 days 04:05:06.700', '-00:00:00.5', '0']],
  ['doc', 'jsonb', 'keep', ['{"a":[1.50,12345678901234567890],"b":null}', '[]', 'null']],
  [
    'parts',
    'json',
    'paths, paths: { city: { action: keep }, born: { action: generalise, to: year } }',
    [`{"city" : "Berlin", "born": "1987-05-06", "mail": "${mark}json"}`],
  ],
  ['attributes', 'hstore', 'keep', ['size=>M', 'size=>NULL', '']],
  ['blob', 'bytea', 'keep', ['\\x00ff', '\\x']],
  ['tags', 'text[]', 'keep', ['{a,"b,c",NULL,""}', '{}']],
  ['nums', 'bigint[]', 'keep', ['{9007199254740993,NULL,-1}', '{}']],
  ['ints', 'int[]', "paths, paths: { '[]': { action: generalise, to: 10 } }", ['{19,-19}']],
  ['mood', 'mood', 'keep', ['fine', 'so so']],
  [
    'place',
    'place',
    'paths, paths: { city: { action: keep }, at.lat: { action: generalise, to: 1 }, since: { action: keep } }',
    [`("Ber,lin ""x""","(52.5,${mark}note)","2024-02-29 12:00+02",${mark}secret)`, '(,,,)'],
  ],
  ['prices', 'numeric[]', "paths, paths: { '[]': { action: keep } }", ['{1.50,NULL}', '{}']],
  ['sealed', 'place', 'encrypt', [`(${mark}sealed,,,)`]],
  ['since', 'moment', 'keep', ['2024-02-29 12:00:00.5+02']],
  ['ref', 'text', 'hash', [`${mark}hash`]],
  ['token', 'text', 'tokenise, domain: things', [`${mark}token`]],
  ['card', 'text', 'format-preserving', ['4111 1111 1111 1111']],
  ['street', 'text', 'mask, keepStart: 2, keepEnd: 1', [`x${mark}masky`, 'ab']],
  ['district', 'text', 'truncate, keep: 3', [`101${mark}truncate`]],
  ['mail', 'text', 'encrypt', [`${mark}encrypt`, '']],
  ['born', 'date', 'encrypt', ['1911-03-07']],
  ['empty', 'text', "'null'", [`${mark}null`]],
  ['gone', 'text', 'drop', [`${mark}drop`]],
];
const types = `create extension hstore; create type mood as enum ('fine', 'so so'); create domain moment as timestamptz(2);
  create type spot as (lat numeric, note text); create type place as (city text, at spot, since timestamptz, secret text)`;

const contract = `table: public.things
owner: test@lethe.example
tier: 1
subject: { type: customer, key: person }
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  person: { classification: person.id, action: drop }
${columns.map(([name, , rule]) => `  ${name}: { classification: person.id, action: ${rule} }`).join('\n')}
`;

describe('a preview of a table of every type and every action', () => {
  let live: LivePipeline;
  let client: Client;

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), { 'things.yaml': contract }, 2);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(types);
    const definitions = columns.map(([name, type]) => `${name} ${type}`);
    await client.query(
      `create table things (id int primary key, person text not null, unnamed text, ${definitions.join(', ')})`,
    );
    const rows = Math.max(...columns.map(([, , , values]) => values.length)) + 1;
    for (let row = 0; row < rows; row++) {
      const values = columns.map(([, , , all]) => all[row] ?? null);
      await client.query(
        `insert into things values ($1, $2, $3, ${values.map((_, i) => `$${i + 4}`).join(', ')})`,
        [row, `${mark}person`, `${mark}unnamed`, ...values],
      );
    }
  });
  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  it('works before apply has ever run, says whose keys it used, and leaves nothing behind', async () => {
    const before = await traces(live);
    expect(before['keyTables']).toBe(0);
    const preview = await previewTable(live.configPath, 'public.things', 10);
    expect(preview.rows.every((row) => 'values' in row)).toBe(true);
    expect(preview.notes).toEqual([
      expect.stringMatching(
        /^pseudonyms are made with keys of this preview alone: the key store is not set up/,
      ),
    ]);
    expect(preview.left).toEqual({ dropped: ['person', 'gone'], unlisted: ['unnamed'] });
    expect(await traces(live)).toEqual(before);
  });

  it('has the values that the running pipeline puts into the clean topic, and mints no key', async () => {
    const { config, datasets } = await live.apply();
    const running = live.run();
    await live.ready(running);
    // ClickHouse takes neither infinity nor years before Christ: what arrives is what the clean topic has.
    await waitForSinks(config, datasets, { signal: AbortSignal.timeout(120_000) });
    const before = await traces(live);
    expect(before['dataKeys']).toBeGreaterThan(0);
    const preview = await previewTable(live.configPath, 'things', 10);
    expect(preview.notes).toEqual([]);
    expect(previewed(preview)).toEqual(await arrived(live, 'public.things'));
    expect(await traces(live)).toEqual(before);
    // A person whom the key store does not know yet, and whom nobody else makes known to it.
    running.child.kill('SIGTERM');
    await running.ended;
    await client.query(`insert into things (id, person, mail) values (100, 'a stranger', 'b')`);
    const stranger = previewed(await previewTable(live.configPath, 'things', 100)).find(
      ({ id }) => id === '100',
    );
    expect(stranger).toMatchObject({ mail: '"encrypted (51 bytes)"', ref: 'null' });
    expect(await traces(live)).toEqual(before);
  });
});

/** What may not change: topics, subjects, tables and keys of the key store. */
async function traces(live: LivePipeline): Promise<Record<string, unknown>> {
  const keys = new Client({ connectionString: live.env['LETHE_KEYS_URL'] });
  await keys.connect();
  const { rows } = await keys.query<{ n: number }>(
    `select count(*)::int as n from pg_tables where schemaname = 'lethe_keys'`,
  );
  const keyTables = rows[0]!.n;
  const count = 'select count(*)::int as n from lethe_keys.data_keys';
  const dataKeys = keyTables === 0 ? 0 : (await keys.query<{ n: number }>(count)).rows[0]!.n;
  await keys.end();
  const admin = createKafka(
    { name: 'test', kafka: { brokers: [live.env['LETHE_KAFKA_BROKER']!] } },
    'test',
  ).admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((topic) => topic.includes('.things'));
  await admin.disconnect();
  const subjects = (await (await fetch(`${live.env['LETHE_REGISTRY_URL']}/subjects`)).json()) as string[];
  return {
    keyTables,
    dataKeys,
    topics: topics.toSorted(),
    subjects: subjects.filter((subject) => subject.includes('.things')).toSorted(),
  };
}

/** The last value of each row in the clean topic, written as a preview writes it. */
async function arrived(live: LivePipeline, table: string): Promise<Record<string, string>[]> {
  const { config, datasets } = live.project!;
  const { columns } = datasets.find((dataset) => dataset.table === table)!;
  const registry = new Registry(config.registry);
  const values = new Map<string, Buffer | null>();
  await readTopics(createKafka(config, 'test'), [cleanTopic(config, table)], ({ message }) => {
    values.set(message.key!.toString(), message.value);
  });
  const rows: Shown[] = [];
  for (const value of values.values()) {
    if (value === null) continue;
    const type = await registry.decoder(value.readInt32BE(1));
    const record = type.fromBuffer(value.subarray(5)) as Record<string, unknown>;
    rows.push(columns.map((column) => [column, cleanValue(column, record[column.name])] as const));
  }
  return comparable(rows);
}

function previewed({ columns, rows }: Preview): Record<string, string>[] {
  return comparable(
    rows.flatMap((row) => {
      if ('withheld' in row) return [];
      if ('failed' in row) throw new Error(row.failed);
      return [columns.map((column) => [column, row.values.get(column.name)!] as const)];
    }),
  );
}

type Shown = readonly (readonly [Pick<Preview['columns'][number], 'name' | 'rule'>, string])[];

/** In one order; hstore without the spaces that Debezium does not write; what is encrypted within a value left out. */
function comparable(rows: readonly Shown[]): Record<string, string>[] {
  const texts = rows.map((row) =>
    Object.fromEntries(
      row
        .filter(([{ rule }]) => rule.action !== 'paths' || !encrypts(rule))
        .map(([{ name }, json]) => [
          name,
          name === 'attributes' && json !== 'null'
            ? JSON.stringify(JSON.parse(JSON.parse(json) as string))
            : json,
        ]),
    ),
  );
  return texts.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

describe('the command', () => {
  it('shows nothing protected, as table and as JSON', async () => {
    const project = await LetheProject.create(await acquireStack(), {
      schema: 'create table t (id int)',
      contracts: {},
    });
    onTestFinished(() => project.drop());
    await project.sql(types);
    await project.sql(`create table things (id int primary key, person text not null, unnamed text,
      ${columns.map(([name, type]) => `${name} ${type}`).join(', ')})`);
    await project.sql(
      `insert into things values (1, $1, $2, ${columns.map((_, i) => `$${i + 3}`).join(', ')})`,
      [`${mark}person`, `${mark}unnamed`, ...columns.map(([, , , values]) => values[0])],
    );
    await project.writeContract('things.yaml', contract);
    const table = await project.lethe('preview', 'public.things');
    const json = await project.lethe('preview', 'things', '--json', '--limit', '1');
    expect([table.code, json.code, table.stderr, json.stderr]).toEqual([0, 0, '', '']);
    for (const secret of [mark, '1911-03-07', '4111 1111']) {
      expect(table.stdout).not.toContain(secret);
      expect(json.stdout).not.toContain(secret);
    }
    expect(table.stdout).toMatch(/mail +person\.id +encrypt +ciphertext/);
    expect(table.stdout).toMatch(/mail +encrypted \(68 bytes\)/);
    expect(table.stdout).toContain('not named by the contract, so not passed: unnamed');
    const preview = JSON.parse(json.stdout) as Record<string, unknown> & { rows: { values: unknown }[] };
    expect(Object.keys(preview)).toEqual(['table', 'columns', 'rows', 'left', 'notes']);
    expect(preview.rows[0]!.values).toMatchObject({
      day: '2000-02-29',
      at: '24:00:00.000000',
      street: 'xz****y',
      district: '101',
      empty: null,
      mail: 'encrypted (68 bytes)',
    });
    expect(json.stdout).toContain('"big":9223372036854775807,');
  });

  it('shows of BeanCart’s tables what arrives of them, and nothing that is not to pass', async () => {
    const live = await LivePipeline.create(await acquireStack(), 'examples/beancart/lethe.yaml');
    onTestFinished(() => live.close());
    const client = new Client({ connectionString: live.source.url });
    await client.connect();
    await loadSchema(client);
    await loadSample(client, { customers: 60, seed: 7 });
    await client.end();
    const planted = canaries();
    const tables = new Set<string>();
    for (const table of new Set(planted.map((canary) => canary.table))) {
      const preview = await previewTable(live.configPath, `public.${table}`, 1_000);
      tables.add(preview.table);
      const passed = preview.rows.flatMap((row) => ('values' in row ? [...row.values.values()] : []));
      expect(passed.length).toBeGreaterThan(0);
      const text = passed.join('\n');
      for (const { column, value } of planted.filter(
        (canary) => canary.table === table && canary.bytes.length > 0,
      )) {
        expect(text.includes(value), `${table}.${column}`).toBe(false);
      }
    }
    const { config, datasets } = await live.apply();
    await live.ready(live.run());
    await waitForSinks(config, datasets, { signal: AbortSignal.timeout(120_000) });
    for (const table of tables) {
      const preview = await previewTable(live.configPath, table, 1_000);
      expect(previewed(preview), table).toEqual(await arrived(live, table));
    }
  });

  it('tells a row that would become a dead letter by its code, one that does not pass, and shows the others', async () => {
    const project = await LetheProject.create(await acquireStack(), {
      schema: `create table cards (id int primary key, number text, holder int);
        insert into cards values (1, '${mark}x', 1), (2, '4111 1111 1111 1111', 1), (3, null, null), (4, null, 1)`,
      contracts: {
        'cards.yaml': `table: public.cards
owner: t
tier: 1
subject: { type: customer, key: holder }
where: [{ column: id, notIn: [4] }]
sinks: []
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  holder: { classification: person.id, action: encrypt }
  number: { classification: payment.card, action: format-preserving }
`,
      },
    });
    onTestFinished(() => project.drop());
    const preview = await project.lethe('preview', 'cards', '--json');
    expect(preview.stdout).not.toContain(mark);
    const { rows, notes } = JSON.parse(preview.stdout) as { rows: unknown[]; notes: string[] };
    expect(rows).toMatchObject([
      { failed: 'VALUE_UNPROTECTABLE' },
      { values: { id: 2, holder: 'encrypted (50 bytes)' } },
      { failed: 'SUBJECT_MISSING' },
      { withheld: true },
    ]);
    expect(notes.join()).toContain('holder may be null');
    const table = await project.lethe('preview', 'cards');
    expect(table.stdout).toContain('row 1 would become a dead letter: VALUE_UNPROTECTABLE');
  });

  it('names the table that was meant, and a source that is away', async () => {
    const project = await LetheProject.create(await acquireStack(), {
      schema: 'create table things (id int primary key)',
      contracts: {
        'things.yaml': `table: public.things\nowner: t\ntier: 1\nsinks: []\nstaleness: 30s\ncolumns:\n  id: { classification: internal, action: keep }\n`,
      },
    });
    onTestFinished(() => project.drop());
    const unknown = await project.lethe('preview', 'public.thigns');
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('no contract is for public.thigns. Did you mean public.things?');
    await project.writeContract('broken.yaml', 'table: public.others\n');
    expect(await project.lethe('preview', 'things')).toMatchObject({ code: 0 });
    const other = await project.lethe('preview', 'public.others');
    expect(other.stderr).toContain('1 of the files cannot be used');
    await project.removeContract('broken.yaml');
    await project.writeConfig({ postgres: { url: 'postgres://nobody@127.0.0.1:1/none' } });
    const away = await project.lethe('preview', 'things');
    expect(away).toMatchObject({ code: 1, stdout: '' });
    expect(away.stderr).toMatch(/UNREACHABLE.*lethe\.yaml:\d+ postgres\.url/s);
    await project.writeConfig();
    await project.removeContract('things.yaml');
    expect((await project.lethe('preview', 'things')).stderr).toContain('the folder holds no *.yaml');
    expect(await project.lethe('preview', 'things', '--limit', '0')).toMatchObject({ code: 2 });
  });
});
