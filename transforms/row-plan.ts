import {
  columnsRead,
  type Dataset,
  type DatasetColumn,
  isReadAtSource,
  namesRead,
} from '../schemas/dataset.ts';
import { type NamedTypes, unexpected, type WriterObject } from './avro-skip.ts';
import type { ByteWriter } from './byte-writer.ts';
import { type Cipher, type ColumnAction, compileColumnAction, type RowContext } from './column-action.ts';
import { FactPlan } from './fact-plan.ts';
import { OrdinaryRow } from './ordinary-row.ts';
import { PathPlan } from './path-plan.ts';
import { fits, isNull, type RawField, rawField } from './raw-type.ts';
import { RowFilter } from './row-filter.ts';
import { type Resolved, RowText } from './row-text.ts';
import { correctedDecimal } from './special-decimal.ts';
import type { SharedKeys } from './text-action.ts';
import { compileIsUnchanged, type IsUnchanged } from './unchanged-value.ts';

/** Writes one column (or a run of untouched ones) of the clean record from the raw row's field offsets. */
type Step = (
  buf: Buffer,
  offsets: Int32Array,
  base: number,
  out: ByteWriter,
  row: RowContext,
  resolved: Resolved | undefined,
) => void;

/**
 * The plan compiled from (writer schema of the row, contract): from the offsets of the raw fields the clean
 * record is written in its own order, untouched neighbours as one byte range. A raw field that the contract does not
 * name has no step: it cannot pass.
 */
export class RowPlan {
  /** Names of raw fields that no contract names: dropped, to be counted and shown. */
  readonly unnamed: readonly string[];
  private readonly ordinary: OrdinaryRow;
  private readonly steps: readonly Step[];
  /** The same, column by column, for rows with values read back from the source. */
  private readonly eachColumn: readonly Step[];
  private readonly unchanged: readonly { name: string; field: number; raw: RawField; test: IsUnchanged }[];
  private readonly decimals: readonly { name: string; field: number; raw: RawField }[];
  /** Columns that no event has. */
  private readonly atSource: readonly string[];
  readonly filter: RowFilter;
  private readonly names: readonly RowText[];
  /** What says whether the row may pass and whose it is, in the row itself. */
  private readonly judges: readonly RowText[];
  /** What is read of a row beside what is written of it. */
  private readonly read: readonly RowText[];
  /** Whose row it is; undefined where it is nobody's. */
  readonly subject: PathPlan | undefined;
  /** Where consent is looked up. */
  readonly consent: PathPlan | undefined;
  readonly facts: FactPlan;
  /** The raw type by column, for values read back from the source. */
  readonly rawTypes: ReadonlyMap<string, RawField>;

  constructor(
    row: WriterObject,
    names: NamedTypes,
    dataset: Dataset,
    options: { placeholder: string; cipher: Cipher; keys: SharedKeys },
  ) {
    const fields = row.fields ?? [];
    const raw = new Map(
      fields.map((f, index) => [f.name, { index, type: rawField(f.type, names) }] as const),
    );
    this.atSource = dataset.columns.filter(isReadAtSource).map(({ name }) => name);
    this.rawTypes = new Map([
      ...[...raw].flatMap(([name, f]) => (f.type ? [[name, f.type] as const] : [])),
      ...this.atSource.map((name) => [name, jsonText] as const),
    ]);
    const facts = dataset.facts.map(({ name }) => name);
    const named = new Set([...dataset.columns.map((c) => c.name), ...columnsRead(dataset.contract, facts)]);
    this.unnamed = fields.map((f) => f.name).filter((n) => !named.has(n));
    const { placeholder } = options;
    this.filter = new RowFilter(dataset.conditions, raw, placeholder);
    this.names = namesRead(dataset.contract).map((name) => new RowText(name, 'text', raw, placeholder));
    this.read = [...this.filter.texts, ...this.names];
    this.facts = new FactPlan(dataset.facts, raw, placeholder);
    const { subject, consentPath } = dataset;
    if (subject) this.subject = new PathPlan(subject.key, subject.hops, raw, placeholder);
    this.consent = consentPath && new PathPlan(consentPath.column, consentPath.hops, raw, placeholder);
    const starts = [this.subject, this.consent].flatMap((path) => path?.start ?? []);
    this.judges = [...this.filter.texts, ...starts];
    const unchanged: { name: string; field: number; raw: RawField; test: IsUnchanged }[] = [];
    const steps: Step[] = [];
    const eachColumn: Step[] = [];
    const decimals: { name: string; field: number; raw: RawField }[] = [];
    const runs: number[] = [];
    const flush = () => {
      if (runs.length > 0) steps.push(copyRuns(Int32Array.from(runs)));
      runs.length = 0;
    };
    const actionOf = (column: DatasetColumn): ColumnAction =>
      compileColumnAction({
        table: dataset.table,
        column,
        hasSubject: dataset.subject !== undefined,
        keys: options.keys,
        cipher: options.cipher,
      });
    for (const column of dataset.columns) {
      if (isReadAtSource(column)) {
        const step = sourceStep(column, actionOf(column));
        flush();
        steps.push(step);
        eachColumn.push(step);
        continue;
      }
      const field = raw.get(column.name);
      if (column.rule.action === 'null' || !field) {
        if (!column.nullable) throw unexpected(`column ${column.name} is missing in the change events`);
        flush();
        steps.push(writeNull);
        eachColumn.push(writeNull);
        continue;
      }
      if (!field.type || !fits(field.type, column.source)) {
        throw unexpected(`column ${column.name} no longer has the type its contract was applied with`);
      }
      const test = compileIsUnchanged(column.source, column.sourceElement, placeholder);
      if (test) unchanged.push({ name: column.name, field: field.index, raw: field.type, test });
      if (column.source === 'decimal')
        decimals.push({ name: column.name, field: field.index, raw: field.type });
      const sameBytes =
        column.rule.action === 'keep' &&
        (column.nullable ? field.type.nullBranch === 0 : field.type.nullBranch === undefined);
      const step = columnStep(column, field.index, field.type, actionOf(column));
      eachColumn.push(step);
      if (!sameBytes) {
        flush();
        steps.push(step);
        continue;
      }
      const last = runs.at(-1);
      if (last !== undefined && field.index < last) flush();
      if (runs.at(-1) === field.index) runs.pop();
      else runs.push(field.index);
      runs.push(field.index + 1);
    }
    flush();
    this.steps = steps;
    this.eachColumn = eachColumn;
    this.unchanged = unchanged;
    this.decimals = decimals;
    this.ordinary = new OrdinaryRow(dataset.columns, raw, placeholder);
  }

  /** Seen at a glance: no value to be read back or corrected, and nothing unknown of what the row is judged by. */
  isOrdinary(buf: Buffer, offsets: Int32Array, base: number): boolean {
    if (this.atSource.length > 0) return false;
    for (const text of this.read) if (text.read(buf, offsets, base) === undefined) return false;
    return this.ordinary.is(buf, offsets, base);
  }

  /** Columns whose value is to be read at the source: none is in an event, or it is Debezium's placeholder for unchanged TOAST. */
  unresolved(buf: Buffer, offsets: Int32Array, base: number): string[] | undefined {
    let names = this.atSource.length > 0 ? [...this.atSource] : undefined;
    for (const { name, field, raw, test } of this.unchanged) {
      let from = offsets[base + field]!;
      if (raw.nullBranch !== undefined) {
        if (isNull(buf, from, raw)) continue;
        from++;
      }
      if (test(buf, from, offsets[base + field + 1]!)) (names ??= []).push(name);
    }
    for (const text of this.read) {
      if (text.read(buf, offsets, base) !== undefined || names?.includes(text.column)) continue;
      (names ??= []).push(text.column);
    }
    return names;
  }

  /** Columns of what the row is judged by, to be read together with its values. */
  get judgedBy(): string[] {
    return this.judges.map(({ column }) => column);
  }

  /** Is what the row is judged by still what the event says of it? What is not among the values is not asked for. */
  isJudgedAlike(
    buf: Buffer,
    offsets: Int32Array,
    base: number,
    values: ReadonlyMap<string, unknown>,
  ): boolean {
    return this.judges.every((text) => {
      const now = values.get(text.column);
      const told = text.read(buf, offsets, base);
      return now === undefined || told === undefined || now === told;
    });
  }

  /** Numeric's special values in Postgres' own words, where the row holds any. */
  corrections(buf: Buffer, offsets: Int32Array, base: number): Map<string, Buffer> | undefined {
    let found: Map<string, Buffer> | undefined;
    for (const { name, field, raw } of this.decimals) {
      let from = offsets[base + field]!;
      if (raw.nullBranch !== undefined) {
        if (isNull(buf, from, raw)) continue;
        from++;
      }
      const value = correctedDecimal(buf, from, offsets[base + field + 1]!);
      if (value) (found ??= new Map()).set(name, value);
    }
    return found;
  }

  /** The names that the row's own columns hold. */
  namesOf(buf: Buffer, offsets: Int32Array, base: number, resolved: Resolved | undefined): readonly string[] {
    if (this.names.length === 0) return noNames;
    return this.names.flatMap((text) => text.read(buf, offsets, base, resolved) ?? []);
  }

  write(
    buf: Buffer,
    offsets: Int32Array,
    base: number,
    out: ByteWriter,
    row: RowContext,
    resolved: Resolved | undefined,
  ): void {
    for (const step of resolved ? this.eachColumn : this.steps) step(buf, offsets, base, out, row, resolved);
  }
}

const noNames: readonly string[] = [];
/** What is read at the source is JSON text, whatever an event may hold under the name. */
const jsonText: RawField = { avro: 'string' };
const writeNull: Step = (_buf, _offsets, _base, out) => out.byte(0);

function copyRuns(runs: Int32Array): Step {
  return (buf, offsets, base, out) => out.copyRuns(buf, offsets, base, runs);
}

/** Fails closed: without the value that was read there is none. */
function sourceStep(column: DatasetColumn, action: ColumnAction): Step {
  return (_buf, _offsets, _base, out, row, resolved) => {
    const value = resolved?.get(column.name);
    if (value === undefined) throw unexpected(`column ${column.name} was not read at the source`);
    if (value === null) return writeNullOf(column, out);
    if (column.nullable) out.byte(2);
    action(value, 0, value.length, out, row);
  };
}

function writeNullOf({ name, nullable }: DatasetColumn, out: ByteWriter): void {
  if (!nullable)
    throw unexpected(`column ${name} is null though it was NOT NULL when the contract was applied`);
  out.byte(0);
}

function columnStep(column: DatasetColumn, field: number, raw: RawField, action: ColumnAction): Step {
  const { name, nullable } = column;
  return (buf, offsets, base, out, row, resolved) => {
    const replaced = resolved?.get(name);
    let source = buf;
    let from = offsets[base + field]!;
    let to = offsets[base + field + 1]!;
    let isNullValue = false;
    if (replaced !== undefined) {
      isNullValue = replaced === null;
      source = replaced ?? buf;
      from = 0;
      to = source.length;
    } else if (raw.nullBranch !== undefined) {
      isNullValue = isNull(buf, from, raw);
      from++;
    }
    if (isNullValue) return writeNullOf(column, out);
    if (nullable) out.byte(2);
    action(source, from, to, out, row);
  };
}
