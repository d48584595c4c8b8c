import { Command, InvalidArgumentError } from 'commander';
import type { ColumnRule } from '../schemas/column-rule.ts';
import type { DatasetColumn } from '../schemas/dataset.ts';
import { type PreviewedRow, previewRows } from './preview-rows.ts';
import { openPreviewSource } from './preview-source.ts';
import { showPreview } from './show-preview.ts';
import { parseCount } from './whole-number.ts';

/** A table as its consumers would get it. */
export interface Preview {
  readonly table: string;
  readonly columns: readonly { readonly name: string; readonly rule: ColumnRule; readonly type: string }[];
  readonly rows: readonly PreviewedRow[];
  /** Columns that do not pass: because the contract says so, or because it does not name them. */
  readonly left: { readonly dropped: readonly string[]; readonly unlisted: readonly string[] };
  readonly notes: readonly string[];
}

/** More are no preview, and all of them are in memory at once. */
const mostRows = 1_000;

/** `lethe preview TABLE`: real rows as consumers would get them; nothing is written anywhere. */
export function previewCommand(): Command {
  return new Command('preview')
    .description('show real rows of a table as consumers would get them; nothing is written')
    .argument('<table>', 'schema.table, or its bare name')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('-n, --limit <rows>', `rows to show, at most ${mostRows}`, parseLimit, 10)
    .option('--json', 'print the preview as JSON')
    .action(async (table: string, flags: { config: string; limit: number; json?: true }) => {
      const preview = await previewTable(flags.config, table, flags.limit);
      process.stdout.write(flags.json ? previewJson(preview) : showPreview(preview));
    });
}

/** The first `limit` rows of a table by its primary key, under the contract in the files. */
export async function previewTable(configPath: string, name: string, limit: number): Promise<Preview> {
  const source = await openPreviewSource(configPath, name);
  const { rows, notes } = await previewRows(source, limit);
  const { contract, dataset, table } = source;
  const listed = new Map(Object.entries(contract.columns));
  return {
    table: table.table,
    columns: dataset.columns.map((column) => ({
      name: column.name,
      rule: column.rule,
      type: typeOf(column),
    })),
    rows,
    left: {
      dropped: table.columns.map((c) => c.name).filter((column) => listed.get(column)?.action === 'drop'),
      unlisted: table.columns.map((c) => c.name).filter((column) => !listed.has(column)),
    },
    notes: [...notes, ...source.notes],
  };
}

function parseLimit(text: string): number {
  const limit = parseCount(text);
  if (limit > mostRows) throw new InvalidArgumentError(`It must be at most ${mostRows}.`);
  return limit;
}

/** What consumers get, in the words of docs/contracts.md. */
function typeOf({ clean, element }: DatasetColumn): string {
  return clean === 'array' ? `array of ${element}` : clean;
}

/** One object. Values are put in as they are: a 64-bit integer has more digits than a number of this process. */
function previewJson({ table, columns, rows, left, notes }: Preview): string {
  const shown = columns.map(({ name, rule, type }) => ({
    name,
    classification: rule.classification,
    action: rule.action,
    type,
  }));
  const parts = {
    table: JSON.stringify(table),
    columns: JSON.stringify(shown),
    rows: `[${rows.map(rowJson).join(',')}]`,
    left: JSON.stringify(left),
    notes: JSON.stringify(notes),
  };
  return `${object(Object.entries(parts))}\n`;
}

function rowJson(row: PreviewedRow): string {
  return 'values' in row ? object([['values', object([...row.values])]]) : JSON.stringify(row);
}

function object(members: readonly (readonly [name: string, json: string])[]): string {
  return `{${members.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
}
