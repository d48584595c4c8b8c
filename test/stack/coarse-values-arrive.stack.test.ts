import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clickhouseDatabase, clickhouseView } from '../../schemas/names.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { LivePipeline } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';
import { insertValueRows } from '../support/value-rows.ts';

/** Column, type, what the contract makes of it, values. */
const columns = [
  ['born', 'date', 'generalise, to: year', ['1987-05-06', '2000-02-29', '1969-12-31']],
  ['moved', 'date', 'generalise, to: month', ['1987-05-06', '1900-03-01', '2299-12-31']],
  ['seen', 'timestamp', 'generalise, to: day', ['2024-12-31 23:59:59.999999', '1969-12-31 23:00:00']],
  ['paid', 'timestamptz', 'generalise, to: month', ['2024-12-31 23:30:00-02', '2024-02-29 12:00:00.5+00']],
  [
    'paid_ms',
    'timestamptz(3)',
    'generalise, to: year',
    ['2024-12-31 23:30:00.123-02', '1960-01-01 00:00:00Z'],
  ],
  ['age', 'smallint', 'generalise, to: 10', ['19', '-19', '32767', '-32768', '0']],
  ['income', 'integer', 'generalise, to: 5000', ['2147483647', '-2147483648', '4999']],
  ['steps', 'bigint', 'generalise, to: 1000', ['9223372036854775807', '-9223372036854775808']],
  ['limit_eur', 'numeric(12,2)', 'generalise, to: 250', ['9999999999.99', '-0.01', '250.00']],
  ['ratio', 'numeric', 'generalise, to: 0.5', ['1.49', '12345678901234567890.987654321', '-3']],
  ['latitude', 'double precision', 'generalise, to: 0.01', ['52.520008', '-33.865143', '1e-9', '0.29']],
  ['postcode', 'text', 'truncate, keep: 3', ['10115', 'SW1A 1AA', '', 'é1']],
  ['nickname', 'varchar(40)', 'truncate, keep: 1', ['Zoë', '👩🏽‍🚀', 'a']],
] as const;

const contract = `table: public.people
owner: test@lethe.example
tier: 1
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
${columns.map(([name, , action]) => `  ${name}: { classification: person.id, action: ${action} }`).join('\n')}
`;

describe('values that are made coarse', () => {
  let live: LivePipeline;
  let client: Client;

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), { 'people.yaml': contract }, 2);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    const definitions = columns.map(([name, type]) => `${name} ${type}`);
    await client.query(`create table people (id int primary key, ${definitions.join(', ')})`);
  });

  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  const insertRows = (from: number) => insertValueRows(client, 'people', columns, (row) => [from + row]);

  it('are in topic and stores as the oracle has them, from the snapshot and from the stream', async () => {
    const rows = await insertRows(1);
    const { config } = await live.apply();
    await live.ready(live.run());
    await insertRows(1 + rows);
    const [comparison] = await live.expectEqual();
    expect(comparison!.rows).toBe(2 * rows);
    expect(comparison!.places).toHaveLength(3);
    // And once by hand: the oracle and the engine could be wrong alike.
    const clickhouse = createClickhouseClient(config.clickhouse!);
    const view = `"${clickhouseDatabase(config)}"."${clickhouseView('public.people')}"`;
    const found = await clickhouse.query({
      query: `select toString(born), toString(age), toString(limit_eur), postcode, toString(latitude) from ${view} where id = 1`,
      format: 'JSONCompactEachRow',
    });
    expect(await found.json()).toEqual([['1987-01-01', '10', '9999999750', '101', '52.52']]);
    await clickhouse.close();
  });
});
