import { encrypts, innermostRules } from './column-rule.ts';
import { checkErasure } from './check-erasure.ts';
import { checkPaths } from './check-paths.ts';
import { checkRule } from './check-rule.ts';
import type { Config } from './config.ts';
import { tableParts } from './contract.ts';
import { contractFinding } from './contract-finding.ts';
import type { Finding } from './finding.ts';
import type { LoadedContract } from './load-contracts.ts';
import {
  cleanTopic,
  deadLetterTopic,
  heartbeatTable,
  indexName,
  lookupTopic,
  parkedTopic,
  rawTopic,
  sourceSchema,
} from './names.ts';

/** The rules of contracts that need no database. */
export function checkContracts(contracts: readonly LoadedContract[], config: Config): Finding[] {
  return [
    ...contracts.flatMap((loaded) => checkContract(loaded, config)),
    ...checkPaths(contracts),
    ...checkErasure(contracts),
    ...checkCollisions(contracts, config),
  ];
}

function checkContract(loaded: LoadedContract, config: Config): Finding[] {
  const { contract } = loaded;
  const findings: Finding[] = [];
  if (tableParts(contract.table).schema === sourceSchema) {
    const message = `the schema ${sourceSchema} is Lethe's own`;
    findings.push(
      contractFinding(loaded, 'NAME_NOT_ALLOWED', ['table'], message, 'Move the table to another schema.'),
    );
  }
  contract.sinks.forEach((sink, index) => {
    if (config[sink]) return;
    const message = `lethe.yaml does not say where ${sink} is`;
    const fix = `Add ${sink} to lethe.yaml or take it out of the sinks.`;
    findings.push(contractFinding(loaded, 'SINK_NOT_CONFIGURED', ['sinks', index], message, fix));
  });
  for (const [name, rule] of Object.entries(contract.columns)) {
    findings.push(...checkRule(loaded, ['columns', name], rule));
    if (encrypts(rule) && !contract.subject) {
      const fix =
        'Add subject: { type: …, key: <column that says whose row it is> }, or path, or choose another action.';
      const message = 'encrypt needs a subject, whose key it encrypts with';
      findings.push(
        contractFinding(loaded, 'ENCRYPT_WITHOUT_SUBJECT', ['columns', name, 'action'], message, fix),
      );
    }
    if (
      !contract.subject &&
      innermostRules(rule).some((inner) => 'under' in inner && inner.under === 'subject')
    ) {
      const message = 'under: subject needs a subject, whose key it is made with';
      const fix =
        'Add subject: { type: …, key: <column that says whose row it is> }, or path, or write under: shared.';
      findings.push(contractFinding(loaded, 'ENCRYPT_WITHOUT_SUBJECT', ['columns', name], message, fix));
    }
  }
  return [...findings, ...checkColumnNames(loaded)];
}

/** Names that go out must mean the same in Avro, Kafka and both stores; a dropped column may be called anything. */
function checkColumnNames(loaded: LoadedContract): Finding[] {
  const findings: Finding[] = [];
  const seen = new Map<string, string>();
  for (const [name, rule] of Object.entries(loaded.contract.columns)) {
    const { subject } = loaded.contract;
    if (rule.action === 'drop' && !(subject && 'key' in subject && name === subject.key)) continue;
    const path = ['columns', name];
    const problem = nameProblem(name);
    if (problem) {
      const fix = 'Rename the column at the source, or drop it here.';
      findings.push(contractFinding(loaded, 'NAME_NOT_ALLOWED', path, problem, fix, 'key'));
    }
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      const fix = 'Rename one at the source, or drop one here.';
      const message = `${other} and ${name} differ only by case`;
      findings.push(contractFinding(loaded, 'NAMES_COLLIDE', path, message, fix, 'key'));
    }
    seen.set(name.toLowerCase(), name);
  }
  return findings;
}

function nameProblem(name: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return 'the name holds a character that Avro does not take: only letters, digits and _';
  }
  if (name.toLowerCase().startsWith('_lethe')) return 'names that start with _lethe are Lethe’s own';
  return undefined;
}

const topicNameMaxChars = 249;
const indexNameMaxBytes = 255;

/** Kafka refuses a topic that differs from another only by `.` and `_`. */
function checkCollisions(contracts: readonly LoadedContract[], config: Config): Finding[] {
  const findings: Finding[] = [];
  const taken = new Map<string, string>([
    [rawTopic(config, heartbeatTable(config)).replaceAll('.', '_'), heartbeatTable(config)],
  ]);
  for (const loaded of contracts) {
    const { table } = loaded.contract;
    const topics = [rawTopic, cleanTopic, deadLetterTopic, lookupTopic, parkedTopic].map((topic) =>
      topic(config, table),
    );
    if (
      topics.some((topic) => topic.length > topicNameMaxChars) ||
      indexName(config, table, 999).length > indexNameMaxBytes
    ) {
      const message = `the names derived from ${table} are longer than Kafka or Elasticsearch takes`;
      const fix = 'Shorten the table’s name or topics.prefix; capital letters count five.';
      findings.push(contractFinding(loaded, 'NAME_NOT_ALLOWED', ['table'], message, fix));
    }
    const other = topics
      .map((topic) => taken.get(topic.replaceAll('.', '_')))
      .find((name) => name !== undefined);
    if (other !== undefined && other !== table) {
      const message = `${table} and ${other} would share a topic: to Kafka . and _ are one`;
      findings.push(contractFinding(loaded, 'NAMES_COLLIDE', ['table'], message, 'Rename one of the two.'));
    }
    for (const topic of topics) taken.set(topic.replaceAll('.', '_'), table);
  }
  return findings;
}
