import { type Contract, contractShape } from '../contract.ts';
import { type Finding, sortFindings } from '../finding.ts';
import { parseShape } from '../shape-findings.ts';
import { type FieldPath, fieldOf, parseSource, type SourceDocument } from '../source-document.ts';
import type { ContractComments } from './contract-text.ts';
import { fromCustom } from './custom-properties.ts';
import { stalenessOf } from './latency.ts';
import { type OdcsFile, odcsShape, type OdcsTable } from './odcs-shape.ts';
import { type GuessWord, proposeRule } from './propose-rule.ts';

/** A contract that was read from an ODCS file. */
export interface ImportedContract {
  readonly contract: Contract;
  readonly comments: ContractComments;
  /** Place of the table in the ODCS file, for what is found later. */
  readonly place: { readonly file: string; readonly line: number; readonly field: string };
}

export interface ImportedContracts {
  readonly contracts: readonly ImportedContract[];
  readonly findings: readonly Finding[];
}

/**
 * Reads a contract of the Open Data Contract Standard, version 3: a contract of Lethe for each of its tables. What
 * Lethe has written itself comes back as it was; for all else protection is proposed, with the reason as a comment.
 * Findings have the ODCS file's lines; a field of theirs under `columns` is that of the contract to be.
 */
export function fromOdcs(file: string, text: string, guess: GuessWord): ImportedContracts {
  const { document, findings } = parseSource(file, text);
  if (!document) return { contracts: [], findings };
  const parsed = parseShape(odcsShape, document, document.value);
  if (!parsed.value) return { contracts: [], findings: parsed.findings };
  const odcs = parsed.value;
  const read = odcs.schema.map((table, index) => fromTable(document, odcs, table, index, guess));
  return {
    contracts: read.flatMap(({ imported }) => (imported ? [imported] : [])),
    findings: sortFindings(read.flatMap(({ findings }) => findings)),
  };
}

function fromTable(
  document: SourceDocument,
  odcs: OdcsFile,
  table: OdcsTable,
  index: number,
  guess: GuessWord,
): { imported?: ImportedContract; findings: Finding[] } {
  const fields: Record<string, string> = {};
  const reasons: Record<string, string> = {};
  const own = fromCustom(table.customProperties);
  const at: FieldPath = ['schema', index];
  const places = new Map<string, FieldPath>();
  const columns = table.properties.map((property, number) => {
    const name = property.physicalName ?? property.name;
    const place = [...at, 'properties', number];
    const rule = fromCustom(property.customProperties);
    const repeated = places.has(name);
    places.set(name, place);
    if (Object.hasOwn(rule, 'action')) {
      return {
        name,
        place,
        repeated,
        rule: { classification: property.classification ?? undefined, ...rule },
      };
    }
    const proposal = proposeRule(property, guess);
    reasons[name] = proposal.reason;
    return { name, place, repeated, rule: proposal.rule };
  });
  const orElse = (field: string, given: unknown, otherwise: unknown, comment: string): unknown => {
    if (given !== undefined) return given;
    fields[field] = comment;
    return otherwise;
  };
  const contract = {
    ...own,
    table: own['table'] ?? tableName(odcs, table),
    owner: orElse('owner', ownerOf(odcs), 'unassigned', 'Name who answers for this contract.'),
    tier: orElse('tier', own['tier'], 1, 'Proposed: 0 must be correct, 1 correct soon, 2 best effort.'),
    sinks: orElse('sinks', own['sinks'], [], 'Feeds no store until somebody names them.'),
    staleness: orElse(
      'staleness',
      stalenessOf(odcs.slaProperties),
      '5m',
      'No latency in whole units was given.',
    ),
    columns: Object.fromEntries(columns.map(({ name, rule }) => [name, rule])),
  };
  const findings = columns.flatMap(({ name, place, repeated }) =>
    repeated ? [twice(document, place, name)] : [],
  );
  const translated = translate(document, at, places);
  const parsed = parseShape(contractShape, translated, contract);
  if (!parsed.value) return { findings: [...findings, ...parsed.findings] };
  const head = `Taken from the data contract ${document.file.replaceAll(/\p{Cc}/gu, '?')} by \`lethe odcs import\`.${
    Object.keys(reasons).length > 0 ? ' Whatever is in doubt is protected: read every line.' : ''
  }`;
  const place = { file: document.file, line: document.keyAt(at).line, field: fieldOf(at) };
  return {
    imported: { contract: parsed.value, comments: { head, fields, columns: reasons }, place },
    findings,
  };
}

/** `schema.table` by the names of the table and of the server that has schemas; else it is one of public. */
function tableName(odcs: OdcsFile, { name, physicalName }: OdcsTable): string {
  const table = physicalName ?? name;
  if (table.includes('.')) return table;
  const schema = (odcs.servers ?? []).map((server) => server.schema).find((candidate) => candidate);
  return `${schema ?? 'public'}.${table}`;
}

/** Whoever has the role of an owner, else the team, else its first member. */
function ownerOf({ team }: OdcsFile): string | undefined {
  const [name, members] = Array.isArray(team) ? [undefined, team] : [team?.name, team?.members ?? []];
  const owner = members.find(({ role }) => /owner/i.test(role ?? ''));
  return owner?.username ?? name ?? members[0]?.username;
}

function twice(document: SourceDocument, place: FieldPath, name: string): Finding {
  const message = `a second property is for the column ${fieldOf([name])}`;
  return {
    severity: 'error',
    code: 'DUPLICATE_KEY',
    file: document.file,
    ...document.keyAt(place),
    field: fieldOf(place),
    message,
    fix: 'Leave only one.',
  };
}

/** The ODCS file as if it were the contract: where what a field of the contract was made of stands. */
function translate(
  document: SourceDocument,
  at: FieldPath,
  places: ReadonlyMap<string, FieldPath>,
): SourceDocument {
  const custom = (parent: FieldPath, name: string): FieldPath => {
    for (let index = 0; ; index++) {
      const written = document.textAt([...parent, 'customProperties', index, 'property']);
      if (written === undefined) return parent;
      if (written === `lethe.${name}`) return [...parent, 'customProperties', index, 'value'];
    }
  };
  const whole: Readonly<Record<string, FieldPath>> = { owner: ['team'], staleness: ['slaProperties'] };
  const source = ([field, ...rest]: FieldPath): FieldPath => {
    const column = field === 'columns' ? places.get(String(rest[0])) : undefined;
    if (column) {
      const [, option, ...deeper] = rest;
      if (option === undefined) return column;
      if (option === 'classification') return [...column, option];
      return [...custom(column, String(option)), ...deeper];
    }
    return whole[String(field)] ?? [...custom(at, String(field)), ...rest];
  };
  return {
    ...document,
    valueAt: (path) => document.valueAt(source(path)),
    keyAt: (path) => document.keyAt(source(path)),
  };
}
