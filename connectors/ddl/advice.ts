import type { TableFacts } from './facts.ts';
import type { DdlAction } from './statement.ts';

/** A change of a contract's file, by the path of its field, for programs; `rule` is what stood there before. */
export type ContractEdit =
  | { readonly remove: readonly string[] }
  | { readonly rename: readonly string[]; readonly to: string }
  | { readonly put: readonly string[]; readonly rule: unknown }
  | { readonly delete: true };

/** A step of a safe order. */
export interface MigrationStep {
  /** `sql` at the source, `edit` of a contract, `run` a command here, `restart` of `lethe run`, `wait`, `other`: what no command does. */
  readonly kind: 'sql' | 'edit' | 'run' | 'restart' | 'wait' | 'other';
  /** To be run or done as it stands here. */
  readonly text: string;
  readonly why: string;
  /** Of an edit: the file, and what to do there if that can be said. */
  readonly file?: string;
  readonly edit?: ContractEdit;
}

/**
 * What becomes of a statement that is run as it stands:
 * `safe`; `refused` by Postgres; `breaks`: the application's UPDATE and DELETE fail; `lost`: its table's changes cease to come, or what it
 * does is not told; `halts`: the table waits, nothing is lost; `unfit`: all goes on, and the contract is refused at the next start;
 * `unknown`: nothing is claimed.
 */
export type Outcome = 'safe' | 'refused' | 'breaks' | 'lost' | 'halts' | 'unfit' | 'unknown';

/** What to know of one statement before it is run. */
export interface Advice {
  readonly statement: string;
  readonly table?: string;
  readonly outcome: Outcome;
  /** With which Postgres refuses it, or the application's own statements afterwards. */
  readonly sqlstate?: string;
  readonly says: string;
  /** The safe order, the statement among it; of a safe one, what follows if something is to follow. */
  readonly steps: readonly MigrationStep[];
}

/** What the advice on an action is, before it is put to its statement. */
export interface ActionAdvice {
  readonly outcome: Outcome;
  readonly sqlstate?: string;
  readonly says: string;
  readonly steps: readonly MigrationStep[];
}

/** One action and the statement that does it alone. */
export interface Asked<K extends DdlAction['kind'] = DdlAction['kind']> {
  readonly action: Extract<DdlAction, { kind: K }>;
  readonly text: string;
  readonly facts: TableFacts;
}

export const sql = (text: string, why: string): MigrationStep => ({ kind: 'sql', text, why });
export const run = (text: string, why: string): MigrationStep => ({ kind: 'run', text, why });
export const other = (text: string, why: string): MigrationStep => ({ kind: 'other', text, why });
export const restart = (why: string): MigrationStep => ({
  kind: 'restart',
  text: 'start `lethe run` again',
  why,
});

/** An edit that a program could make as well. */
export function edit(file: string, text: string, why: string, change?: ContractEdit): MigrationStep {
  return { kind: 'edit', file, text: `in ${file}: ${text}`, why, ...(change ? { edit: change } : {}) };
}

/** What follows every change of a contract: the plan, the change, and processors that know it. */
export function applied(why: string, rebuild: boolean): MigrationStep[] {
  const flag = rebuild ? ' --rebuild' : '';
  return [
    run(`lethe plan${flag}`, 'shows what is going to change, and refuses what cannot be'),
    run(`lethe apply${flag}`, why),
    restart('what runs under the older contract waits; a new instance goes on with every change that came'),
  ];
}

/** The end of a rebuild; nothing where no store has the table. */
export function turned({ table, own }: TableFacts): MigrationStep[] {
  if (own!.contract.sinks.length === 0) return [];
  return [
    {
      kind: 'wait',
      text: `wait until \`lethe status\` does not say of ${table} any more that its rows are read again`,
      why: 'index and table are filled beside those that readers see',
    },
    run('lethe apply', 'puts them in place of those that readers see, or says that it must be run again'),
  ];
}
