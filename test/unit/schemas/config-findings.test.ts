import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../../schemas/load-config.ts';
import { goodConfig, writeFiles } from './project-files.ts';

const secret = 'canary-hunter2-7Qz';

async function load(text: string, env: Record<string, string> = {}) {
  const folder = await writeFiles({ 'lethe.yaml': text });
  const loaded = await loadConfig(join(folder, 'lethe.yaml'), env);
  expect(JSON.stringify(loaded.findings)).not.toContain(secret);
  return { ...loaded, folder };
}

async function findings(text: string, env: Record<string, string> = {}) {
  const loaded = await load(text, env);
  expect(loaded.config).toBeUndefined();
  return loaded.findings.map(({ code, line, field }) => `${code} ${line} ${field}`);
}

test('a good file loads, with its defaults', async () => {
  const { config, findings, contractsFolder, folder } = await load(goodConfig);
  expect(findings).toEqual([]);
  expect(config).toMatchObject({ name: 'shop', topics: { prefix: '', partitions: 6 } });
  expect(contractsFolder).toBe(join(folder, 'contracts'));
});

test('every finding is reported at once, each with its line and field', async () => {
  const text = goodConfig
    .replace('name: shop', 'name: Shop!')
    .replace("brokers: ['127.0.0.1:9092']", 'brokers: [nowhere]')
    .replace('registry:\n  url: http://127.0.0.1:8081', 'registry:\n  url: 8081')
    .concat('topics:\n  partitions: 0\n  replicas: 3\n');
  expect(await findings(text)).toEqual([
    'WRONG_VALUE 1 name',
    'WRONG_VALUE 5 kafka.brokers.0',
    'WRONG_TYPE 9 registry.url',
    'WRONG_VALUE 19 topics.partitions',
    'UNKNOWN_KEY 20 topics.replicas',
  ]);
});

test('an unknown key is refused, with the key that was meant', async () => {
  const loaded = await load(goodConfig.replace('clickhouse:', 'clickhuose:'));
  expect(loaded.findings).toMatchObject([
    {
      code: 'UNKNOWN_KEY',
      line: 12,
      column: 1,
      field: 'clickhuose',
      message: expect.stringContaining('Did you mean clickhouse?'),
    },
  ]);
});

test('a key under a union is suggested from the branch that was meant', async () => {
  const loaded = await load(
    goodConfig.replace(
      '  url: http://127.0.0.1:8083',
      '  url: http://127.0.0.1:8083\n  tls: { verfy: true }',
    ),
  );
  expect(loaded.findings).toMatchObject([
    {
      code: 'UNKNOWN_KEY',
      line: 8,
      field: 'connect.tls.verfy',
      message: expect.stringContaining('Did you mean verify?'),
    },
  ]);
});

test('a missing key is shown where its map stands', async () => {
  expect(await findings(goodConfig.replace(/ {2}master: .*\n/, ''))).toEqual(['MISSING_KEY 14 keys.master']);
});

test('a duplicate key, an empty file, a broken file and a missing file are findings', async () => {
  expect(await findings(`${goodConfig}name: other\n`)).toEqual(['DUPLICATE_KEY 18 name']);
  expect(await findings('')).toEqual(['FILE_EMPTY 1 ']);
  expect(await findings('# nothing\n')).toEqual(['FILE_EMPTY 1 ']);
  expect(await findings(`name: "${secret}\n`)).toContain('YAML_SYNTAX 2 ');
  expect(await findings(`name: [${secret}\nfoo: }`)).toContain('YAML_SYNTAX 2 ');
  const { findings: missing } = await loadConfig('/nonexistent/lethe.yaml', {});
  expect(missing).toMatchObject([{ code: 'FILE_UNREADABLE', message: expect.stringContaining('ENOENT') }]);
});

test('secrets come from the environment and from files, relative to lethe.yaml', async () => {
  const text = goodConfig
    .replace(
      'postgres://app@127.0.0.1:5432/shop\n',
      'postgres://app@127.0.0.1:5432/shop\n  password: ${env:PG_PASSWORD}\n',
    )
    .replace(/master: .*/, 'master: { kind: vault, url: http://vault:8200, token: "${file:secrets/token}" }');
  const folder = await writeFiles({ 'lethe.yaml': text, 'secrets/token': 'first line\n' });
  const { config } = await loadConfig(join(folder, 'lethe.yaml'), { PG_PASSWORD: secret });
  expect(config?.postgres.password).toBe(secret);
  expect(config?.keys.master).toMatchObject({ token: 'first line', mount: 'transit' });
});

test('a secret without a value is named, once, and never replaced by nothing', async () => {
  const text = goodConfig
    .replace(/master: .*/, 'master: { kind: vault, url: http://vault:8200, token: "${file:missing}" }')
    .replace('name: shop', 'name: ${env:NAME}');
  expect(await findings(text)).toEqual(['SECRET_MISSING 1 name', 'SECRET_MISSING 16 keys.master.token']);
  expect(await findings(goodConfig.replace('name: shop', 'name: ${vault:x}'))).toEqual([
    'SECRET_MISSING 1 name',
  ]);
  expect(await findings(goodConfig.replace('name: shop', 'name: ${env:NAME}'), { NAME: '' })).toEqual([
    'SECRET_MISSING 1 name',
  ]);
});

test("a Connect config provider's reference is left to Connect", async () => {
  const { config } = await load(
    goodConfig.replace(
      'http://127.0.0.1:8083',
      'http://127.0.0.1:8083\n  postgresPassword: ${env:ONLY_CONNECT_KNOWS}',
    ),
  );
  expect(config?.connect.postgresPassword).toBe('${env:ONLY_CONNECT_KNOWS}');
});

test('no URL holds a password after loading', async () => {
  const { config } = await load(
    goodConfig
      .replace('postgres://app@', `postgres://app:${secret}%40@`)
      .replace('http://127.0.0.1:8083', `http://me:${secret}@127.0.0.1:8083/`),
  );
  expect(config?.postgres).toMatchObject({
    url: 'postgres://app@127.0.0.1:5432/shop',
    password: `${secret}@`,
  });
  expect(config?.connect).toMatchObject({ url: 'http://127.0.0.1:8083', username: 'me', password: secret });
});

test('no finding shows a secret, wherever it stands by mistake', async () => {
  for (const text of [
    goodConfig.replace('postgres://app@127.0.0.1', `postgres://app:${secret}@`),
    goodConfig.replace('postgres://app@', `mysql://app:${secret}@`),
    goodConfig.replace('/shop\n', `/shop?password=${secret}\n`),
    goodConfig.replace(
      'kafka:',
      `kafka:\n  sasl: { mechanism: ${secret}, username: a, password: [${secret}] }`,
    ),
    goodConfig.replace('name: shop', `name: ${secret}!`),
    goodConfig.replace('name: shop', `"postgres://x:${secret}@h/d": shop`),
    goodConfig.replace('name: shop', `name: *${secret}`),
    goodConfig.replace('name: shop', `name: !${secret} x`),
    goodConfig.replace('name: shop', `"${secret}!": {a: 1, a: 2}\nname: shop`),
  ]) {
    expect((await findings(text)).length).toBeGreaterThan(0);
  }
});

test('a key set is an address of https, one of this machine, or a file beside lethe.yaml', async () => {
  const withSet = (jwks: string) =>
    `${goodConfig}access: { issuer: "https://id.example", audience: lethe, jwks: "${jwks}" }\n`;
  for (const jwks of ['https://id.example/keys', 'http://127.0.0.1:8080/keys']) {
    expect((await load(withSet(jwks))).config?.access).toMatchObject({ jwks, roleClaim: 'role' });
  }
  const { config } = await load(withSet('keys/jwks.json'));
  expect(config?.access?.jwks).toMatch(/^\/.*\/keys\/jwks\.json$/);
  for (const jwks of ['http://id.example/keys', 'http://127.0.0.1.example/keys', '']) {
    expect((await load(withSet(jwks))).config).toBeUndefined();
  }
});
