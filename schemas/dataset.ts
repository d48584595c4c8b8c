import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import { type ActionName, type ColumnRule, nameColumns } from './column-rule.ts';
import type { Contract } from './contract.ts';
import { parseDurationMs } from './duration.ts';
import { isGeneralisable } from './generalise.ts';
import { type Hop, hopsOf } from './lookup-path.ts';
import { pathsOf } from './lookups.ts';
import { conditionsOf, conditionTest, type RowCondition } from './row-condition.ts';
import type { SinkName } from './sink-name.ts';
import type { SourceColumn, SourceTable } from './source-table.ts';
import { type ElementKind, elementKind, type ValueKind, valueKind } from './value-kind.ts';

/** A column of the clean record: what it is at the source, what is done to it, what consumers get. */
export interface DatasetColumn {
  readonly name: string;
  readonly rule: ColumnRule;
  /** Kind at the source. For `null` columns it says what would stand there. */
  readonly source: ValueKind;
  /** `ciphertext` (bytes) and `pseudonym` (text) beside the kinds that a value keeps; what is read at the source becomes JSON. */
  readonly clean: Exclude<ValueKind, KindAtSource> | 'ciphertext' | 'pseudonym';
  /** Of an array: what its elements are at the source, and what consumers get. */
  readonly sourceElement?: ElementKind;
  readonly element?: ElementKind;
  readonly precision?: number;
  readonly scale?: number;
  readonly nullable: boolean;
  /** Place in the key, from 0; undefined outside the key. */
  readonly keyIndex?: number;
}

/** A column that is looked up by the primary key. */
export interface Fact {
  readonly name: string;
  readonly kind: ValueKind;
}

/**
 * A table under its contract: the one place from which publication, schemas, mappings and the engine's plan are
 * derived. Columns stand in the table's order; what is dropped or named by no contract is not in it.
 */
export interface Dataset {
  readonly table: string;
  readonly contract: Contract;
  readonly columns: readonly DatasetColumn[];
  /** Key columns in key order. */
  readonly key: readonly DatasetColumn[];
  /**
   * Column that says whose row it is, or where the path to whom it belongs begins; it need not be among `columns` (it may be
   * dropped from the output).
   */
  readonly subject?: { readonly type: string; readonly key: string; readonly hops: readonly Hop[] };
  /** What must hold of a row for it to pass; their columns need not be among `columns`. */
  readonly conditions: readonly RowCondition[];
  /** What must hold at the end of a path for a row to pass. */
  readonly consentPath?: {
    readonly column: string;
    readonly hops: readonly Hop[];
    readonly test: (text: string | null) => boolean;
  };
  /** What other tables' paths look up in rows of this one. */
  readonly facts: readonly Fact[];
  /**
   * Columns that leave Postgres by its WAL: those with an action that needs the value, key, subject and conditions included; but none
   * that is read at the source.
   */
  readonly published: readonly string[];
  /** 16 hex digits over the contract's rules, the table and what others look up: changes when what comes out may change. */
  readonly digest: string;
}

/** Actions that leave a key what it is: one value for each, always the same. */
export const keyActions: ReadonlySet<ActionName> = new Set(['keep', 'hash', 'tokenise', 'format-preserving']);

/** Does the action need the value? If not, the column never leaves Postgres. */
export function needsValue(rule: ColumnRule): boolean {
  return rule.action !== 'drop' && rule.action !== 'null';
}

type KindAtSource = 'composite' | 'list';

/**
 * Kinds that the transform reads at the source, for every row. The WAL has a composite without its fields' names, so that after a change of
 * its type nobody could tell which value stands under which name; and Debezium has no form for most arrays.
 */
function isKindAtSource(kind: ValueKind | undefined): kind is KindAtSource {
  return kind === 'composite' || kind === 'list';
}

/** Does the transform read the column's value at the source? */
export function isReadAtSource({ rule, source }: Pick<DatasetColumn, 'rule' | 'source'>): boolean {
  return isKindAtSource(source) && needsValue(rule);
}

/** What comes out for a value of this kind under this rule; undefined if the action cannot treat the kind. */
export function cleanKind(rule: ColumnRule, kind: ValueKind): DatasetColumn['clean'] | undefined {
  if (isKindAtSource(kind)) return cleanJson(rule);
  switch (rule.action) {
    case 'keep':
    case 'null':
    case 'drop':
      return kind;
    case 'mask':
    case 'truncate':
    case 'redact':
      return kind === 'text' ? 'text' : undefined;
    case 'generalise':
      return isGeneralisable(kind, rule.to) ? kind : undefined;
    case 'hash':
    case 'tokenise':
      return hashable.has(kind) ? 'pseudonym' : undefined;
    case 'format-preserving':
      return kind === 'text' ? 'text' : undefined;
    case 'encrypt':
      return 'ciphertext';
    case 'paths':
      return kind === 'json' || kind === 'array' ? kind : undefined;
  }
}

/** Kept whole, a field that is added to a composite would pass without anybody having named it. */
function cleanJson({ action }: ColumnRule): DatasetColumn['clean'] | undefined {
  if (action === 'encrypt') return 'ciphertext';
  return action === 'paths' || action === 'null' || action === 'drop' ? 'json' : undefined;
}

/** What the elements of an array are after their rule: whole numbers stay numbers only where they are not replaced. */
function cleanElement(rule: ColumnRule, element: ElementKind): ElementKind {
  if (rule.action !== 'paths') return element;
  const numeric = new Set(['keep', 'null', 'generalise']);
  return Object.values(rule.paths).every(({ action }) => numeric.has(action)) ? element : 'text';
}

/** Kinds with a canonical text. A pseudonym of a boolean hides nothing; floats and json have no canonical form. */
const hashable: ReadonlySet<ValueKind> = new Set([
  'text',
  'int',
  'long',
  'uuid',
  'inet',
  'decimal',
  'date',
  'timestamptz',
]);

/**
 * Derives the dataset. The contract must have passed the checks against this table: every finding is reported
 * there, with its line; here a breach is a programming error and throws. `facts` are the columns that other contracts look up.
 */
export function deriveDataset(
  contract: Contract,
  table: SourceTable,
  facts: readonly string[] = [],
): Dataset {
  const columns: DatasetColumn[] = [];
  const published: string[] = [];
  const read = columnsRead(contract, facts);
  for (const column of table.columns) {
    const rule = contract.columns[column.name];
    if (!rule) continue;
    const isNeeded = needsValue(rule) || read.has(column.name);
    if (isNeeded && !isKindAtSource(valueKind(column))) published.push(column.name);
    if (rule.action !== 'drop') columns.push(deriveColumn(column, rule, table, contract.erasure?.retain));
  }
  const key = columns.filter((c) => c.keyIndex !== undefined).sort((a, b) => a.keyIndex! - b.keyIndex!);
  const { subject, consent } = contract;
  const digest = createHash('sha256')
    .update(canonicalJson([rulesOf(contract), columns, published, facts]))
    .digest('hex')
    .slice(0, 16);
  return {
    table: contract.table,
    contract,
    columns,
    key,
    ...(subject ? { subject: subjectOf(subject) } : {}),
    conditions: conditionsOf(contract).map((rule) => ({
      column: rule.column,
      kind: kindOf(table, rule.column),
      test: conditionTest(rule),
    })),
    ...(consent && 'path' in consent
      ? {
          consentPath: {
            column: consent.path[0],
            hops: hopsOf(consent.path),
            test: conditionTest({ column: consent.path[0], in: consent.granted }),
          },
        }
      : {}),
    facts: facts.map((name) => ({ name, kind: kindOf(table, name) })),
    published,
    digest,
  };
}

/** What of a contract decides about clean records; its owner, objective and stores do not. */
export function rulesOf(contract: Contract): Pick<Contract, 'subject' | 'where' | 'consent' | 'columns'> {
  const { subject, where, consent, columns } = contract;
  return { subject, where, consent, columns };
}

/**
 * Columns that the transform reads whatever becomes of them: who a row belongs to, whether it passes, which names to redact,
 * and what others look up in it.
 */
export function columnsRead(contract: Contract, facts: readonly string[] = []): ReadonlySet<string> {
  const { subject } = contract;
  return new Set([
    ...(subject && 'key' in subject ? [subject.key] : []),
    ...pathsOf(contract).map(({ column }) => column),
    ...conditionsOf(contract).map(({ column }) => column),
    ...namesRead(contract),
    ...facts,
  ]);
}

/** Columns whose values are names to redact, each once. */
export function namesRead(contract: Contract): readonly string[] {
  return [...new Set(Object.values(contract.columns).flatMap(nameColumns))];
}

function subjectOf(subject: NonNullable<Contract['subject']>): NonNullable<Dataset['subject']> {
  const { type } = subject;
  return 'key' in subject
    ? { type, key: subject.key, hops: [] }
    : { type, key: subject.path[0], hops: hopsOf(subject.path) };
}

/** Must rows of the table wait for rows of others? */
export function followsPaths(dataset: Pick<Dataset, 'contract'>): boolean {
  return pathsOf(dataset.contract).length > 0;
}

/** How long a row waits for one that its paths lead to, in ms. */
export function parkingMs({ contract }: Pick<Dataset, 'contract'>): number {
  return parseDurationMs(contract.parking?.deadline ?? '10m')!;
}

/** The dataset as a store has it: without the columns that do not go there. */
export function sinkDataset(dataset: Dataset, sink: SinkName): Dataset {
  const columns = dataset.columns.filter(({ rule }) => rule.sinks?.includes(sink) ?? true);
  return columns.length === dataset.columns.length ? dataset : { ...dataset, columns };
}

function kindOf(table: SourceTable, name: string): ValueKind {
  const column = table.columns.find((candidate) => candidate.name === name);
  const kind = column && valueKind(column);
  if (!kind) throw new Error(`unchecked column ${table.table}.${name}`);
  return kind;
}

function deriveColumn(
  column: SourceColumn,
  rule: ColumnRule,
  table: SourceTable,
  retain: NonNullable<Contract['erasure']>['retain'],
): DatasetColumn {
  const source = valueKind(column);
  const clean = source && cleanKind(rule, source);
  if (!source || !clean) throw new Error(`unchecked column ${table.table}.${column.name}`);
  const keyIndex = table.primaryKey.indexOf(column.name);
  const element = elementKind(column);
  // A row that is kept by law has nothing but what is kept, and an id of its own.
  const isLeftOut = retain !== undefined && keyIndex < 0 && !retain.columns.includes(column.name);
  return {
    name: column.name,
    rule,
    source,
    clean,
    ...(element ? { sourceElement: element, element: cleanElement(rule, element) } : {}),
    ...(column.precision === undefined ? {} : { precision: column.precision, scale: column.scale ?? 0 }),
    nullable: column.nullable || rule.action === 'null' || isLeftOut,
    ...(keyIndex < 0 ? {} : { keyIndex }),
  };
}
