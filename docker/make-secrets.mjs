// Makes the secrets of compose.yaml, each in a file of its own. A file that is there stays as it is. Plain JavaScript
// without dependencies.
// usage: node docker/make-secrets.mjs [FOLDER]
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), 'secrets'));

// Containers read a file as users of their own, so each file is open; the folder lets only its owner in.
mkdirSync(folder, { recursive: true });
chmodSync(folder, 0o700);

const password = () => randomBytes(24).toString('base64url');
const made = [];
make('postgres_admin_password', password);
make('postgres_password', password);
make('keys_password', password);
make('elasticsearch_password', password);
derive('clickhouse_users.xml', clickhouseUsers(make('clickhouse_password', password)));
derive('registry.properties', `apicurio.datasource.password=${make('registry_password', password)}\n`);
process.stdout.write(
  `${made.length === 0 ? 'all secrets were there' : `made ${made.join(', ')}`} in ${folder}\n`,
);

/** The content of the file, made now if there is none. It ends without a newline: some servers would keep it. */
function make(name, content) {
  const path = join(folder, name);
  const draft = write(name, content());
  try {
    linkSync(draft, path);
    made.push(name);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
  return readFileSync(path, 'utf8');
}

/** A file that follows from a password. */
function derive(name, content) {
  renameSync(write(name, content), join(folder, name));
}

/** A whole file beside its place: one that was cut short never takes it. */
function write(name, content) {
  const draft = join(folder, `.${name}.draft`);
  rmSync(draft, { force: true });
  writeFileSync(draft, content);
  chmodSync(draft, 0o444);
  return draft;
}

/** ClickHouse holds a digest, not the password; nobody comes in without one. */
function clickhouseUsers(text) {
  const digest = createHash('sha256').update(text).digest('hex');
  return `<clickhouse>
  <users>
    <default remove="remove"/>
    <lethe>
      <password_sha256_hex>${digest}</password_sha256_hex>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </lethe>
  </users>
</clickhouse>
`;
}
