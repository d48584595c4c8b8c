import { letterId, type OpenLetter } from '../../pipeline/open-letters.ts';

/** Which letters are meant: those with these ids, or all that every filter given fits. */
export interface Selection {
  readonly ids: readonly string[];
  readonly table?: string;
  readonly code?: string;
  readonly stage?: string;
  readonly all?: true;
}

/** Whether anything is said of what is meant: nothing said must not mean everything. */
export function isExplicit({ ids, table, code, stage, all }: Selection): boolean {
  return ids.length > 0 || all === true || [table, code, stage].some((filter) => filter !== undefined);
}

/** The letters that are meant, and the ids that no open letter has: settled already, or never there. */
export function selectLetters(
  letters: readonly OpenLetter[],
  { ids, table, code, stage }: Selection,
): { readonly chosen: OpenLetter[]; readonly unknown: string[] } {
  const fitting = letters.filter(
    (letter) =>
      (table === undefined || isTable(letter.table, table)) &&
      (code === undefined || letter.code === code) &&
      (stage === undefined || letter.stage === stage),
  );
  if (ids.length === 0) return { chosen: fitting, unknown: [] };
  const wanted = new Map(ids.map((id) => [withSchema(id), id]));
  const chosen = fitting.filter((letter) => wanted.delete(letterId(letter)));
  return { chosen, unknown: [...wanted.values()] };
}

/** Without a schema it is one of public, as everywhere. */
function isTable(table: string, name: string): boolean {
  return table === name || table === `public.${name}`;
}

function withSchema(id: string): string {
  const [table = ''] = id.split('/');
  return table.includes('.') ? id : `public.${id}`;
}
