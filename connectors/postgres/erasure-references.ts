import type { OrderEdge } from './erasure-order.ts';
import type { ForeignKey } from './foreign-keys.ts';
import type { Obstacle } from './preflight.ts';
import { quoteName } from './quote.ts';
import { Placeholders, type SubjectCondition } from './subject-rows.ts';

/** What becomes of a table's rows when a subject is erased at the source. */
export interface Disposition {
  /** `stays`: a contract says that the rows are there afterwards; `application`: no contract says anything. */
  readonly fate: 'delete' | 'null' | 'stays' | 'application';
  /** With `null`: the columns. */
  readonly columns: readonly string[];
  /** Which rows are the subject's; undefined where none are by any contract. */
  readonly own?: SubjectCondition;
}

/** A look at the rows before anything is done: if there is one, erasing would be refused, or take what is another person's. */
export interface ErasureGuard {
  /** Gives a row if there is one; each placeholder is the subject's id. */
  readonly text: string;
  readonly placeholders: number;
  /** Names only. */
  readonly message: string;
  readonly fix: string;
}

export interface References {
  readonly edges: readonly OrderEdge[];
  readonly guards: readonly ErasureGuard[];
  readonly obstacles: readonly Obstacle[];
}

const unindexed = 'no index leads with it: a walk through the table for each row that goes';
const takeOff = 'Have the application take them off, then ask again.';

/**
 * What refers to the rows that are to be deleted, and what follows: an order, rows that go along, and rows that would keep Postgres from it
 * or go along though they are another person's. Tables that are not among `planned` are the application's.
 */
export function followReferences(
  planned: ReadonlyMap<string, Disposition>,
  foreignKeys: readonly ForeignKey[],
): References {
  return new Walk(planned, foreignKeys).follow();
}

class Walk {
  readonly #edges: OrderEdge[] = [];
  readonly #guards: ErasureGuard[] = [];
  readonly #obstacles: Obstacle[] = [];
  readonly #planned: ReadonlyMap<string, Disposition>;
  readonly #foreignKeys: readonly ForeignKey[];
  /** Of each table whose rows go: with the rows of which tables, its own if it is to be deleted. */
  readonly #goesWith: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(planned: ReadonlyMap<string, Disposition>, foreignKeys: readonly ForeignKey[]) {
    this.#planned = planned;
    this.#foreignKeys = foreignKeys;
    this.#goesWith = this.#spread();
  }

  follow(): References {
    for (const key of this.#foreignKeys) {
      const by = this.#goesWith.get(key.parent);
      if (!by) continue;
      if (!key.indexed) this.#warn(key, unindexed, 'Make one.');
      if (key.onDelete === 'cascade') this.#takesAlong(key, by);
      else if (key.onDelete === 'no action' || key.onDelete === 'restrict') this.#keepsThem(key, by);
      else this.#addEdges(key, [key.child], by, 'handled');
    }
    return { edges: this.#edges, guards: this.#guards, obstacles: this.#obstacles };
  }

  #fateOf(table: string): Disposition {
    return this.#planned.get(table) ?? { fate: 'application', columns: [] };
  }

  #spread(): Map<string, Set<string>> {
    const goesWith = new Map<string, Set<string>>();
    const visit = (table: string, by: string): void => {
      const all = goesWith.get(table) ?? new Set();
      if (all.has(by)) return;
      goesWith.set(table, all.add(by));
      for (const { child, parent, onDelete } of this.#foreignKeys) {
        if (parent === table && onDelete === 'cascade' && this.#fateOf(child).fate === 'application') {
          visit(child, by);
        }
      }
    };
    for (const [table, { fate }] of this.#planned) if (fate === 'delete') visit(table, table);
    return goesWith;
  }

  #takesAlong(key: ForeignKey, by: ReadonlySet<string>): void {
    const { fate, own } = this.#fateOf(key.child);
    if (fate === 'null' || fate === 'stays') {
      const message = `rows of ${key.child} are to stay, and would be deleted with those of ${key.parent} (${key.name})`;
      this.#addRefusal(message, 'Change the one contract or the other, or ON DELETE CASCADE.');
      return;
    }
    if (own) {
      const message = `rows of ${key.child} that are another person's would be deleted with those of ${key.parent} (${key.name})`;
      this.#guard(key, message, own);
    }
    if (fate === 'delete') {
      this.#addEdges(key, [key.child], by, 'handled');
      return;
    }
    const whose = own ? 'rows that are left to the application go along' : 'rows go along';
    this.#warn(key, `${whose} (ON DELETE CASCADE)`, 'Write source: delete in a contract, if it is meant.');
  }

  #keepsThem(key: ForeignKey, by: ReadonlySet<string>): void {
    const { fate, own, columns } = this.#fateOf(key.child);
    const message = `rows of ${key.child} refer to those that are to be deleted from ${key.parent} (${key.name})`;
    const otherwise = key.deferrable && key.onDelete === 'no action' ? 'deferrable' : 'hard';
    // A reference of which one column is null refers to nothing.
    const isNulled = fate === 'null' && key.columns.some(({ name }) => columns.includes(name));
    const along = this.#goesWith.get(key.child);
    if (fate === 'delete' || isNulled) {
      this.#guard(key, message, own);
      this.#addEdges(key, [key.child], by, otherwise);
    } else if (along) {
      this.#guard(key, message, (alias, placeholders) => this.#goes(key.child, alias, placeholders, []));
      this.#addEdges(key, along, by, otherwise);
    } else if (own) {
      const stays = `rows of ${key.child} are to stay and refer to ${key.parent} (${key.name}): Postgres would refuse`;
      this.#addRefusal(
        stays,
        `Write source: delete for ${key.child} too, or ON DELETE SET NULL at the source.`,
      );
    } else {
      this.#guard(key, message);
      const fix = 'Make it ON DELETE SET NULL or CASCADE, or have the application take such rows off.';
      this.#warn(key, 'a row there keeps Postgres from deleting', fix);
    }
  }

  #addEdges(
    key: ForeignKey,
    from: Iterable<string>,
    to: Iterable<string>,
    otherwise: OrderEdge['otherwise'],
  ): void {
    for (const before of from) {
      const { fate } = this.#fateOf(before);
      if (fate !== 'delete' && fate !== 'null') continue;
      const isOwn = before === key.child && fate === 'delete';
      const nullable = isOwn ? key.columns.filter((column) => column.nullable).map(({ name }) => name) : [];
      for (const after of to) {
        this.#edges.push({ before, after, constraint: key.constraint, otherwise, nullable });
      }
    }
  }

  /** Rows of the child that refer to what goes from the parent, but for those of which `goes` holds. */
  #guard(key: ForeignKey, message: string, goes?: SubjectCondition): void {
    const placeholders = new Placeholders();
    const refers = this.#refers(key, 'c', placeholders, []);
    // Null where nobody knows whose the row is: then it is not the subject's.
    const others = goes ? ` and (${goes('c', placeholders)}) is not true` : '';
    const text = `select 1 from ${key.childSql} c where ${refers}${others} limit 1`;
    this.#guards.push({ text, placeholders: placeholders.count, message, fix: takeOff });
  }

  #refers(key: ForeignKey, alias: string, placeholders: Placeholders, above: readonly string[]): string {
    const parent = `${alias}_of`;
    const columns = key.columns.map(({ name }) => `${alias}.${quoteName(name)}`).join(', ');
    const referenced = key.referenced.map((name) => `${parent}.${quoteName(name)}`).join(', ');
    const goes = this.#goes(key.parent, parent, placeholders, above);
    return `(${columns}) in (select ${referenced} from ${key.parentSql} ${parent} where ${goes})`;
  }

  /** Which rows of a table go: the subject's, or those that go along with others. */
  #goes(table: string, alias: string, placeholders: Placeholders, above: readonly string[]): string {
    const { fate, own } = this.#fateOf(table);
    if (fate === 'delete') return own!(alias, placeholders);
    const parts = this.#foreignKeys
      .filter(
        ({ child, parent, onDelete }) =>
          child === table &&
          onDelete === 'cascade' &&
          this.#goesWith.has(parent) &&
          ![...above, table].includes(parent),
      )
      .map((key) => this.#refers(key, alias, placeholders, [...above, table]));
    return parts.length === 0 ? 'false' : `(${parts.join(' or ')})`;
  }

  #addRefusal(message: string, fix: string): void {
    this.#obstacles.push({ severity: 'error', code: 'PLAN_REFUSED', message, fix });
  }

  #warn({ child, name }: ForeignKey, what: string, fix: string): void {
    const message = `${child} (${name}): ${what}`;
    this.#obstacles.push({ severity: 'warning', code: 'ERASURE_RULE', message, fix });
  }
}
