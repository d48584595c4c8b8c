import type { ForeignKey } from './foreign-keys.ts';
import { personTypeOf } from './person-tables.ts';

/** A column that tells rows apart, or refers to one that does. */
export interface Identity {
  /** `schema.table.column` that all who refer to it repeat; the column itself if it refers to none. */
  readonly root: string;
  /** What it refers to, `schema.table`. */
  readonly refersTo?: string;
  /** Is the root numbered by a sequence? */
  readonly serial: boolean;
  /** The kind of person whose key the root is. */
  readonly person?: string;
  /** Do other columns hold the same values? Then all of them need the same pseudonyms. */
  readonly shared: boolean;
}

/** How the tables of a database refer to one another. */
export class Relations {
  readonly foreignKeys: readonly ForeignKey[];
  readonly #serials: ReadonlySet<string>;
  readonly #parents = new Map<string, string>();
  readonly #referenced = new Set<string>();
  readonly #byTable = new Map<string, ForeignKey[]>();

  /** `serials`: `schema.table.column` of columns that a sequence numbers. */
  constructor(foreignKeys: readonly ForeignKey[], serials: ReadonlySet<string>) {
    this.foreignKeys = foreignKeys;
    this.#serials = serials;
    for (const key of foreignKeys) {
      this.#byTable.set(key.table, [...(this.#byTable.get(key.table) ?? []), key]);
      key.columns.forEach((column, index) => {
        const target = `${key.toTable}.${key.toColumns[index]}`;
        this.#referenced.add(target);
        const name = `${key.table}.${column}`;
        if (!this.#parents.has(name)) this.#parents.set(name, target);
      });
    }
  }

  /** Foreign keys of a table. */
  of(table: string): readonly ForeignKey[] {
    return this.#byTable.get(table) ?? [];
  }

  /** The kind of person that a table lists; one whose key is another person's (patients of persons) lists those. */
  personOf(table: string, seen: ReadonlySet<string> = new Set()): string | undefined {
    const type = personTypeOf(table);
    if (type === undefined || seen.has(table)) return type;
    for (const key of this.of(table)) {
      if (!key.isKey || !key.toKey || key.columns.length > 1) continue;
      const parent = this.personOf(key.toTable, new Set([...seen, table]));
      if (parent !== undefined) return parent;
    }
    return type;
  }

  /** Does the table list persons, or refer to one that does, be it over others? */
  isOfPeople(table: string, seen: Set<string> = new Set()): boolean {
    if (seen.has(table)) return false;
    seen.add(table);
    return (
      this.personOf(table) !== undefined || this.of(table).some((key) => this.isOfPeople(key.toTable, seen))
    );
  }

  /** Tables whose columns the foreign keys of this table repeat in the end. */
  rootTables(table: string): string[] {
    const names = this.of(table).flatMap((key) =>
      key.columns.map((column) => this.#rootOf(`${table}.${column}`)),
    );
    return [...new Set(names.map((name) => name.slice(0, name.lastIndexOf('.'))))];
  }

  /** What makes the column an identity: it is in the primary key, refers to a column or is referred to. */
  identityOf(table: string, column: string, inKey: boolean): Identity | undefined {
    const name = `${table}.${column}`;
    const parent = this.#parents.get(name);
    const shared = parent !== undefined || this.#referenced.has(name);
    if (!inKey && !shared) return undefined;
    const root = this.#rootOf(name);
    const person = this.personOf(root.slice(0, root.lastIndexOf('.')));
    return {
      root,
      ...(parent === undefined ? {} : { refersTo: parent.slice(0, parent.lastIndexOf('.')) }),
      serial: this.#serials.has(root),
      ...(person === undefined ? {} : { person }),
      shared,
    };
  }

  #rootOf(name: string): string {
    const seen = new Set<string>();
    let root = name;
    for (;;) {
      const parent = this.#parents.get(root);
      if (parent === undefined || seen.has(parent)) return root;
      seen.add(root);
      root = parent;
    }
  }
}
