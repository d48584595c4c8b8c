import { readFileSync, writeFileSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keysCommand } from '../../cli/keys.ts';
import { reconcileCommand } from '../../cli/reconcile.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { runCommand } from '../support/run-command.ts';
import { acquireStack } from '../support/stack.ts';
import { VaultDouble } from '../support/vault-double.ts';

const contract = `table: public.people
owner: o
tier: 1
subject: { type: customer, key: id }
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  name: { classification: person.name, action: encrypt }
  mail: { classification: person.contact, action: hash }
`;

/** Vault is stood in for by a server that speaks its protocol; all else is real. */
describe('with master keys in Vault', { timeout: 300_000 }, () => {
  let vault: VaultDouble;
  let live: LivePipeline;
  let client: Client;
  let instance: Instance;

  beforeAll(async () => {
    vault = await VaultDouble.start();
    live = await LivePipeline.ofContracts(await acquireStack(), { 'people.yaml': contract }, 2);
    const master = `master: { kind: vault, url: "${vault.url}", token: "${vault.token}" }`;
    const yaml = readFileSync(live.configPath, 'utf8').replace(/master: .*/, master);
    writeFileSync(live.configPath, yaml.replace('environment: demo', 'environment: development'));
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query('create table people (id int primary key, name text, mail text)');
    await client.query(
      `insert into people select g, 'Name ' || g, g || '@example.org' from generate_series(1, 200) g`,
    );
    await live.apply();
    instance = live.run();
    await live.ready(instance);
  }, 300_000);
  afterAll(async () => {
    await client?.end();
    await live?.close();
    await vault?.stop();
  });

  it('everything arrives, the epoch turns, and reconciling finds all equal', async () => {
    await live.expectEqual();
    const turn = await runCommand(keysCommand(), ['turn', '-c', live.configPath, '--json'], live.env);
    expect(JSON.parse(turn.out)).toMatchObject({ epoch: 2, ended: [{ epoch: 1 }] });
    await client.query(`update people set name = name || '!' where id < 50`);
    await live.expectEqual();
    const reconciled = await runCommand(reconcileCommand(), ['-c', live.configPath, '--json'], live.env);
    expect(reconciled).toMatchObject({ code: 0 });
  });

  it('a process that starts while Vault is sealed waits, passes nothing, and goes on when it is opened', async () => {
    instance.child.kill();
    await instance.ended;
    vault.sealed = true;
    instance = live.run();
    await live.ready(instance);
    await client.query(`update people set name = 'Changed while it was sealed' where id < 50`);
    const log = () => readFileSync(instance.logFile, 'utf8');
    await waitUntil(() => log().includes('KEY_STORE_UNAVAILABLE'), 60_000, 'the outage');
    await expect(live.expectEqual(3_000)).rejects.toThrow();
    expect(instance.child.exitCode).toBe(null);
    vault.sealed = false;
    await live.expectEqual();
    expect(log()).not.toContain(vault.token);
  });
});
