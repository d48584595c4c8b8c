import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A lethe.yaml without findings. */
export const goodConfig = `name: shop
postgres:
  url: postgres://app@127.0.0.1:5432/shop
kafka:
  brokers: ['127.0.0.1:9092']
connect:
  url: http://127.0.0.1:8083
registry:
  url: http://127.0.0.1:8081
elasticsearch:
  url: http://127.0.0.1:9200
clickhouse:
  url: http://127.0.0.1:8123
keys:
  url: postgres://app@127.0.0.1:5432/shop_keys
  master: { kind: local, file: master.json }
environment: development
`;

/** A contract without findings for a table `public.customers (id, email)`. */
export const goodContract = `table: public.customers
owner: crm
tier: 1
subject: { type: customer, key: id }
sinks: [elasticsearch]
staleness: 30s
columns:
  id:
    classification: person.id
    action: keep
  email:
    classification: person.contact
    action: encrypt
`;

/** Writes the files into a folder of the test's own, which goes when the test is done. */
export async function writeFiles(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lethe-files-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}
