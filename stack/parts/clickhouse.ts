import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { componentPath } from '../cache/component.ts';
import { stackAsset } from '../package-root.ts';
import { stackVersions } from '../versions.ts';
import { type Part, type PartContext, READY_REQUEST_MS } from './part.ts';

/** The user that clients of ClickHouse log in as. */
export const CLICKHOUSE_USER = 'lethe';

/** ClickHouse out of libchdb, with its HTTP interface, in a Node process of its own. */
export const clickhousePart: Part = {
  name: 'clickhouse',
  version: stackVersions().clickhouse.version,
  needs: [],
  ports: ['clickhouse'],
  stopSignal: 'SIGTERM',
  stopLimitMs: 10_000,
  readyLimitMs: 120_000,
  prepare: (context) => {
    writeFileSync(usersFile(context), users(context.state.passwords.clickhouse), { mode: 0o600 });
    writeFileSync(
      configFile(context),
      `<clickhouse>\n  <users_config>${usersFile(context)}</users_config>\n</clickhouse>\n`,
    );
    return Promise.resolve();
  },
  command: (context) => {
    const component = componentPath(context.components.clickhouse);
    return {
      command: process.execPath,
      args: [
        stackAsset('assets', 'clickhouse-server.mjs'),
        component,
        join(component, 'chdb', 'libchdb.so'),
        context.folder.data,
        String(context.ports.clickhouse),
        configFile(context),
      ],
      cwd: context.folder.root,
      env: { TMPDIR: context.folder.tmp, NODE_OPTIONS: '' },
    };
  },
  isReady: async (context) => {
    const credentials = Buffer.from(`${CLICKHOUSE_USER}:${context.state.passwords.clickhouse}`).toString(
      'base64',
    );
    const answer = await fetch(`http://127.0.0.1:${context.ports.clickhouse}/?query=SELECT%201`, {
      headers: { authorization: `Basic ${credentials}` },
      signal: AbortSignal.timeout(READY_REQUEST_MS),
    });
    return answer.ok && (await answer.text()) === '1\n';
  },
};

function configFile(context: PartContext): string {
  return join(context.folder.conf, 'config.xml');
}

function usersFile(context: PartContext): string {
  return join(context.folder.conf, 'users.xml');
}

/**
 * The server's own session logs in as `default` from 127.0.0.1 without a password, and so can everyone on this
 * machine: that user may hold the server open and nothing else. Data is for the user with the password.
 */
function users(password: string): string {
  const digest = createHash('sha256').update(password).digest('hex');
  return `<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile><quota>default</quota>
      <grants>
        <query>GRANT SYSTEM LISTEN ON *.*</query>
        <query>GRANT SELECT ON system.numbers</query>
      </grants>
    </default>
    <${CLICKHOUSE_USER}>
      <password_sha256_hex>${digest}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile><quota>default</quota>
    </${CLICKHOUSE_USER}>
  </users>
</clickhouse>
`;
}
