import { join } from 'node:path';
import { expect, it } from 'vitest';
import { contractShape } from '../../../schemas/contract.ts';
import { configShape } from '../../../schemas/config.ts';
import { describeShape, type JsonShape } from '../../../schemas/shape-keys.ts';
import { loadConfig } from '../../../schemas/load-config.ts';
import { checkHouseRules } from '../../../schemas/house-rules/check-house-rules.ts';
import { parseHouseRules } from '../../../schemas/house-rules/load-rules.ts';
import { loadContracts, parseContracts } from '../../../schemas/load-contracts.ts';
import { classifications } from '../../../schemas/vocabulary.ts';
import { projectText } from '../../support/project-tree.ts';
import { writeFiles } from '../schemas/project-files.ts';

/** The first YAML block of a document that holds the text. */
function example(path: string, holds = ''): string {
  const blocks = [...projectText(path).matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map((match) => match[1]!);
  return blocks.find((block) => block.includes(holds))!;
}

it('the example of docs/configuration.md loads', async () => {
  const text = example('docs/configuration.md').replaceAll(/\$\{file:[^}]*\}/g, '${file:secret}');
  const folder = await writeFiles({ 'lethe.yaml': text, secret: 'a secret' });
  const env = { KAFKA_PASSWORD: 'a', ELASTIC_API_KEY: 'b', CLICKHOUSE_PASSWORD: 'c', KEYS_PASSWORD: 'd' };
  expect((await loadConfig(join(folder, 'lethe.yaml'), env)).findings).toEqual([]);
});

it('the example of docs/contracts.md loads and shows every action', async () => {
  const folder = await writeFiles({ 'customers.yaml': example('docs/contracts.md') });
  const { contracts, findings } = await loadContracts(folder);
  expect(findings).toEqual([]);
  const actions = new Set(Object.values(contracts[0]!.contract.columns).map((rule) => rule.action));
  expect([...actions].sort()).toEqual(['drop', 'encrypt', 'hash', 'keep', 'mask', 'null']);
});

it('the house rules of docs/contracts.md load, and the message they promise is what is said', () => {
  const text = example('docs/contracts.md', 'defaults:');
  const { house, findings } = parseHouseRules('rules.yaml', text);
  expect(findings).toEqual([]);
  const contract = example('docs/contracts.md').concat(
    '  card: { classification: payment.card, action: keep }\n',
  );
  const { contracts } = parseContracts([{ file: 'customers.yaml', text: contract }], house);
  expect(checkHouseRules(contracts, house!).map(({ message }) => message)).toEqual([
    'payment.card is never kept (PCI DSS 3.4): rules.yaml:7',
  ]);
  expect(projectText('docs/contracts.md')).toContain(
    'payment.card is never kept (PCI DSS 3.4): rules.yaml:7',
  );
});

it('docs/configuration.md names every key of lethe.yaml', () => {
  const text = projectText('docs/configuration.md');
  expect(topKeys(describeShape(configShape)).filter((key) => !text.includes(`\`${key}`))).toEqual([]);
});

it('docs/contracts.md names every field and classification', () => {
  const text = projectText('docs/contracts.md');
  const names = [...Object.keys(describeShape(contractShape).properties!), ...classifications];
  expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

/** Keys of the file, those of a section with its name before them; what all endpoints have is told once. */
function topKeys(shape: JsonShape): string[] {
  const common = new Set(['username', 'password', 'tls']);
  return Object.entries(shape.properties ?? {}).flatMap(([key, child]) => {
    const inner = Object.keys(child.properties ?? {}).filter((name) => !common.has(name));
    return inner.length === 0 ? [key] : inner.map((name) => `${key}.${name}`);
  });
}
