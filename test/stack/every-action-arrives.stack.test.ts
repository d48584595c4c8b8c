import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKafka } from '../../pipeline/kafka.ts';
import { readTopics } from '../../pipeline/read-topics.ts';
import { cleanTopic, clickhouseDatabase, clickhouseView } from '../../schemas/names.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';
import { insertValueRows, type ValueColumn } from '../support/value-rows.ts';

const long = (word: string) => `${word} `.repeat(1_500);
const json = (value: unknown) => JSON.stringify(value);
/** A composite as Postgres reads it; null where a field has none. */
const row = (...fields: readonly (string | null)[]) =>
  `(${fields.map((field) => (field === null ? '' : `"${field.replaceAll(/["\\\\]/g, '$&$&')}"`)).join(',')})`;

/** A number that is too long to be stored in line. */
const digits = (first: number) =>
  `${first}${Array.from({ length: 120 }, (_, i) => createHash('sha256').update(`${first}${i}`).digest().readBigUInt64BE().toString().padStart(20, '0')).join('')}`;

const unnamed = 'zq7_unnamed';
const types = `
  create extension hstore;
  create domain positive as int check (value > 0);
  create type spot as (lat numeric, lon float8, seen timestamptz, note text);
  create type address as (street text, city varchar(40), "odd key" text, door positive, at spot, tags text[], spots spot[],
    doc jsonb, born date, since timestamptz, span interval, raw bytea, active boolean, secret text);
  create domain home as address`;

/** Column, type, what the contract makes of it, values. */
const columns: readonly ValueColumn[] = [
  ['ip', 'inet', 'generalise, to: network', ['192.0.2.77', '2001:db8:1:2::9', '10.1.0.0/16', '::1']],
  ['net', 'cidr', 'generalise, to: network, v4: 12', ['192.0.2.0/24', '10.0.0.0/8', '2001:db8::/32']],
  ['ref', 'text', 'tokenise', ['A-1', '', 'Zoë', long('token')]],
  ['number', 'bigint', 'tokenise, domain: numbers', ['9223372036854775807', '-5', '0']],
  ['card', 'varchar(40)', 'format-preserving', ['4111 1111 1111 1111', '555555-4444', '']],
  ['plate', 'text', 'format-preserving, alphabet: upper-alphanumeric', ['B-XY 1234', 'MUC/A/99']],
  [
    'doc',
    'jsonb',
    `paths, paths: {
      city: { action: keep }, 'geo.lat': { action: generalise, to: 0.1 }, 'geo.*': { action: 'null' },
      'mails[]': { action: hash }, 'orders[].total': { action: keep }, 'orders[].note': { action: encrypt },
      secret: { action: encrypt }, 'free.**': { action: keep }, born: { action: generalise, to: year } }`,
    [
      json({
        city: 'Berlin',
        geo: { lat: 52.520008, lon: 13.4 },
        mails: ['a@b.example', null, 5],
        orders: [{ total: 12.5, note: 'ring twice', street: 'unnamed' }],
        secret: { deep: [1, 2] },
        free: { x: [{ y: 1 }] },
        born: '1987-05-06',
        unnamed: 'must not pass',
      }),
      '[]',
      '{}',
      'null',
      '17',
      json({ secret: long('toast'), city: { object: true }, geo: null }),
    ],
  ],
  ['raw', 'json', `paths, paths: { a: { action: keep } }`, ['{"a" : 1.10, "b": 2}', '{"a":"x"}']],
  ['tags', 'text[]', `paths, paths: { '[]': { action: hash } }`, ['{a,b,NULL}', '{}', `{${long('tag')}}`]],
  ['seen', 'bigint[]', `paths, paths: { '[]': { action: generalise, to: 100 } }`, ['{1,250,NULL}', '{}']],
  ['notes', 'text[]', `paths, paths: { '[]': { action: encrypt } }`, ['{a,NULL}', `{${long('note')}}`]],
  [
    'attributes',
    'hstore',
    `paths, paths: { size: { action: keep }, mail: { action: mask } }`,
    ['size=>M,mail=>"x@y.example",other=>z', 'size=>NULL', '', `size=>"${long('h')}"`],
  ],
  [
    'remark',
    'text',
    'redact, names: [owner, nickname]',
    [
      'Zoë Park called from +49 30 1234567, card 4111 1111 1111 1111, zoe@mail.example',
      'nothing to find here',
      long('Write to a@b.example!'),
    ],
  ],
  ['owner', 'text', 'drop', ['Zoë Park', long('Somebody')]],
  ['nickname', 'text', 'mask', ['Zozo']],
  [
    'ticket',
    'jsonb',
    `paths, paths: { 'lines[]': { action: redact, names: [owner] }, id: { action: redact, kinds: [card] } }`,
    [json({ lines: ['by Zoë Park', '10.0.0.1', 7], id: 4111111111111111 }), json({ id: 12, lines: {} })],
  ],
  ['labels', 'hstore', 'encrypt', ['a=>1', `a=>"${long('sealed')}"`]],
  [
    'address',
    'home',
    `paths, paths: {
      street: { action: hash }, city: { action: keep }, '"odd key"': { action: mask, keepStart: 1 }, door: { action: generalise, to: 10 },
      at.lat: { action: generalise, to: 0.1 }, at.lon: { action: keep }, at.seen: { action: keep }, 'tags[]': { action: keep },
      'spots[].lat': { action: keep }, 'spots[].note': { action: encrypt }, doc.a: { action: keep }, born: { action: generalise, to: year },
      since: { action: keep }, span: { action: keep }, raw: { action: keep }, active: { action: keep } }`,
    [
      row(
        'Zoë\'s "Main" St, 1\\2 {x} (y)',
        'Ber,lin "x" \\ 👩🏽‍🚀',
        '  odd, "key"',
        '42',
        row('52.520008000', '13.4', '2024-02-29 12:00:00.5+02', unnamed),
        '{a,"b, \\"c\\"",NULL,""}',
        `{${json(row('12345678901234567890.1230', '0.1', null, 'ring, "twice"'))},NULL}`,
        json({ a: 1.1, b: unnamed }),
        '1987-05-06',
        '2024-02-29 12:00:00.123456+02',
        '1 year 2 mons -3 days 04:05:06.7',
        '\\x00ff',
        't',
        unnamed,
      ),
      row(
        long('street'),
        '',
        '',
        null,
        null,
        '{}',
        '{}',
        'null',
        null,
        'infinity',
        null,
        null,
        'f',
        long(unnamed),
      ),
      row(...Array.from({ length: 14 }, () => null)),
      row(
        '',
        'NaN',
        null,
        null,
        row('NaN', '-Infinity', '0044-03-15 12:00:00+00 BC', null),
        null,
        null,
        '[1]',
        '0044-03-15 BC',
        null,
        null,
        null,
        null,
        null,
      ),
    ],
  ],
  ['sealed', 'spot', 'encrypt', [row('1.50', '1e-300', '-infinity', `${long(unnamed)} "q"`), '(,,,)']],
  ['hidden', 'spot', "'null'", [row('1', '2', null, unnamed)]],
  [
    'prices',
    'numeric[]',
    `paths, paths: { '[]': { action: keep } }`,
    ['{1.50,NULL,NaN,-1e30}', '{}', '[2:3]={1,2}'],
  ],
  ['grid', 'smallint[]', `paths, paths: { '[][]': { action: generalise, to: 10 } }`, ['{{19,-19},{0,NULL}}']],
  [
    'days',
    'timestamptz[]',
    `paths, paths: { '[]': { action: generalise, to: year } }`,
    ['{2024-02-29 12:00+02,infinity}'],
  ],
  [
    'visits',
    'spot[]',
    `paths, paths: { '[].lat': { action: generalise, to: 1 }, '[].seen': { action: keep } }`,
    [`{${json(row('52.5', null, '2024-02-29 12:00+02', unnamed))},NULL}`],
  ],
  ['seats', 'int4range', 'keep', ['[1,5]', 'empty', '(,7)']],
  ['wide', 'int8range', 'tokenise', ['[9223372036854775806,9223372036854775807)']],
  ['band', 'numrange', 'hash', ['[1.50,2)', '(,)', `[${digits(1)},${digits(2)}]`]],
  ['kept_band', 'numrange', 'keep', [`[${digits(3)},${digits(4)}]`, '(1.0,1e3]']],
  ['stay', 'daterange', 'encrypt', ['[2024-02-29,2024-03-05]', '[,infinity]', '[0044-03-15 BC,2024-01-01)']],
  [
    'shift',
    'tsrange',
    'keep',
    ['["2024-02-29 12:00:00.5","2024-03-01 00:00")', '(,"0044-03-15 12:00:00 BC")'],
  ],
  ['ids', 'uuid[]', 'encrypt', ['{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}']],
];

const contract = `table: public.things
owner: test@lethe.example
tier: 1
subject: { type: customer, key: person }
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: internal, action: format-preserving, alphabet: digits }
  person: { classification: person.id, action: tokenise, domain: person }
${columns.map(([name, , rule]) => `  ${name}: { classification: person.id, action: ${rule} }`).join('\n')}
`;

describe('every action', () => {
  let live: LivePipeline;
  let client: Client;

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), { 'things.yaml': contract }, 2);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(types);
    const definitions = columns.map(([name, type]) => `${name} ${type}`);
    await client.query(
      `create table things (id text, person int not null, ${definitions.join(', ')}, touched int, primary key (id))`,
    );
  });

  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  const insertRows = (from: number) =>
    insertValueRows(client, 'things', columns, (place) => [
      `P-${1_000_000 + from + place}`.slice(2),
      place % 3,
    ]);

  it('arrives in topic and stores as the oracle has it, from snapshot, stream, update, and with unchanged TOAST', async () => {
    const rows = await insertRows(1);
    const { config } = await live.apply();
    await live.ready(live.run());
    await insertRows(1 + rows);
    // Long values stay where they are: the change event has only a placeholder for them.
    await client.query('update things set touched = 1');
    await client.query('delete from things where id = $1', [String(1_000_001)]);
    const [comparison] = await live.expectEqual();
    expect(comparison!.rows).toBe(2 * rows - 1);
    expect(comparison!.places).toHaveLength(3);
    const clickhouse = createClickhouseClient(config.clickhouse!);
    const view = `"${clickhouseDatabase(config)}"."${clickhouseView('public.things')}"`;
    const found = await clickhouse.query({
      query: `select ip, card, doc from ${view} where doc like '%Berlin%' limit 1`,
      format: 'JSONCompactEachRow',
    });
    const [[ip, card, doc]] = (await found.json<[string, string, string]>()) as [[string, string, string]];
    expect(ip).toBe('192.0.2.0/24');
    expect(card).toMatch(/^\d{4} \d{4} \d{4} \d{4}$/);
    expect(card).not.toContain('4111');
    const passed = JSON.parse(doc) as Record<string, unknown>;
    expect(Object.keys(passed).toSorted()).toEqual([
      'born',
      'city',
      'free',
      'geo',
      'mails',
      'orders',
      'secret',
    ]);
    expect(passed).toMatchObject({ city: 'Berlin', geo: { lat: 52.5, lon: null }, born: '1987-01-01' });
    expect(doc).not.toMatch(/unnamed|must not pass|ring twice|a@b/);
    const addresses = await clickhouse.query({
      query: `select distinct address from ${view} where address is not null`,
      format: 'JSONCompactEachRow',
    });
    const texts = (await addresses.json<[string]>()).map(([text]) => text);
    expect(texts).toHaveLength(4);
    expect(texts.join()).toContain('12345678901234567890.1230');
    expect(texts.join()).not.toMatch(/zq7_unnamed|Main|ring/);
    await clickhouse.close();
  });

  it('holds for a composite whose type changes under the traffic: no value passes under the name of another', async () => {
    // As many fields as before, and another one where `city`, which is kept, stood.
    await client.query(`
      update things set touched = 2;
      alter type address drop attribute city, add attribute "zip code" text;
      update things set touched = 3;
      alter type address rename attribute active to enabled`);
    await client.query(
      `update things set touched = 4, address."zip code" = '${unnamed}' where address is not null`,
    );
    const [comparison] = await live.expectEqual();
    expect(comparison!.places).toHaveLength(3);
    const values: string[] = [];
    await readTopics(
      createKafka(live.project!.config, 'test'),
      [cleanTopic(live.project!.config, 'public.things')],
      ({ message }) => values.push(String(message.value)),
    );
    expect(values.length).toBeGreaterThan(0);
    expect(values.join()).not.toContain(unnamed);
  });

  it('waits when a composite column is renamed, and writes nothing for it meanwhile', async () => {
    await client.query('alter table things rename column address to place; update things set touched = 5');
    const [log] = live.logs();
    await waitUntil(
      () => readFileSync(log!, 'utf8').includes('are renamed or dropped at the source: address'),
      60_000,
      'a halt',
    );
    await client.query('alter table things rename column place to address');
    await live.expectEqual();
  });
});
