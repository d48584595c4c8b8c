import type { ClientBase } from 'pg';
import { quoteTable } from './quote.ts';
import type { Obstacle } from './preflight.ts';

interface Needed {
  readonly table: string;
  readonly action: 'delete' | 'null';
  readonly columns: readonly string[];
}

interface Missing {
  readonly table: string;
  readonly right: string;
  readonly columns: readonly string[];
}

/** What the role may not do that the steps need, and whether the source prints a person's id in its log. */
export async function erasureRights(
  client: ClientBase,
  steps: readonly Needed[],
  looked: readonly (readonly [table: string, column: string])[],
): Promise<Obstacle[]> {
  const rights: Missing[] = [
    ...steps.map(({ table, action, columns }) => ({
      table,
      right: action === 'delete' ? 'DELETE' : 'UPDATE',
      columns,
    })),
    ...steps.map(({ table, columns }) => ({ table, right: 'SELECT', columns })),
    ...looked.map(([table, column]) => ({ table, right: 'SELECT', columns: [column] })),
  ].filter(({ right, columns }) => right === 'DELETE' || columns.length > 0);
  const { rows } = await client.query<{ place: number }>(missingSql, [
    rights.map(({ table }) => quoteTable(table)),
    rights.map(({ right }) => right),
    JSON.stringify(rights.map(({ columns }) => columns)),
  ]);
  const missing = [...new Set(rows.map(({ place }) => rights[place - 1]!))].map(
    ({ table, right, columns }): Obstacle => {
      const what = right === 'DELETE' ? right : `${right} (${columns.join(', ')})`;
      return {
        severity: 'error',
        code: 'TABLE_ACCESS',
        message: `the role lacks ${what} on ${table}`,
        fix: `Run: GRANT ${what} ON ${table} TO <the role of lethe.yaml>;`,
      };
    },
  );
  return [...missing, ...(await printsIds(client))];
}

/** Ids are parameters of the statements; a server that logs these prints them, unless it is told not to or the role may tell it. */
async function printsIds(client: ClientBase): Promise<Obstacle[]> {
  const { rows } = await client.query<{ prints: boolean }>(printsSql);
  if (rows[0]?.prints !== true) return [];
  return [
    {
      severity: 'warning',
      code: 'ERASURE_RULE',
      message: "the source logs statements with their parameters: a person's id may stand in its log",
      fix: 'Set log_parameter_max_length = 0 at the source, or grant the role SET on it.',
    },
  ];
}

const missingSql = `
select asked.place::int as place
from unnest($1::text[], $2::text[]) with ordinality asked(relation, needed, place)
where case asked.needed
  when 'DELETE' then not has_table_privilege(asked.relation, 'DELETE')
  else exists (select from json_array_elements_text($3::json -> (asked.place - 1)::int) c(name)
    where not has_column_privilege(asked.relation, c.name, asked.needed)) end
order by asked.place`;

const printsSql = `
select current_setting('log_parameter_max_length') <> '0'
  and (current_setting('log_statement') in ('mod', 'all') or current_setting('log_min_duration_statement') <> '-1'
    or current_setting('log_min_duration_sample') <> '-1')
  and not has_parameter_privilege('log_parameter_max_length', 'SET') as prints`;
