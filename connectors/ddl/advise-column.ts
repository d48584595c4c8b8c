import {
  type ActionAdvice,
  type Asked,
  applied,
  edit,
  type MigrationStep,
  other,
  restart,
  run,
  sql,
  turned,
} from './advice.ts';
import { aroundPublication, outOfPublication, type TableFacts } from './facts.ts';

/** Of a column that is dropped, retyped or renamed, in a table that has a contract and is in the publication. */
export function adviseColumn(asked: Asked<'drop column' | 'retype column' | 'rename column'>): ActionAdvice {
  const { action, facts, text } = asked;
  const { column } = action;
  const isNamed = Object.hasOwn(facts.own!.contract.columns, column);
  const isListed = facts.listed!.includes(column);
  if (!isNamed && !isListed) {
    return { outcome: 'safe', says: `no contract names ${column}: it does not leave Postgres`, steps: [] };
  }
  if (action.kind === 'drop column') return dropped(asked as Asked<'drop column'>, isListed);
  if (action.kind === 'retype column') return retyped(asked as Asked<'retype column'>, isListed);
  return renamed({ action, facts, text }, isListed);
}

/** Does the column go no further than the source or the transform? */
function isDropped(facts: TableFacts, column: string): boolean {
  return facts.own!.contract.columns[column]?.action === 'drop';
}

function takenOut(facts: TableFacts, column: string): MigrationStep[] {
  const { file } = facts.own!;
  return [
    edit(file, `take out columns.${column}`, 'while the contract asks for it, the publication lists it', {
      remove: ['columns', column],
    }),
    ...applied('the column ceases to leave Postgres, which lets go of it then', !isDropped(facts, column)),
  ];
}

function dropped({ action, facts, text }: Asked<'drop column'>, isListed: boolean): ActionAdvice {
  const { column, cascade } = action;
  const { table, own } = facts;
  const outcome = !isListed ? unfit(facts, column) : cascade ? lost(facts, column) : refused('2BP01', column);
  if (facts.key.includes(column)) return { ...outcome, steps: movedAway(facts, text) };
  if (facts.needed.has(column)) {
    const why = `the contract, or a path of another, reads ${column} for the subject, the rows that pass, or names`;
    const first = edit(own!.file, `take out columns.${column} and what reads it`, why);
    const rest = takenOut(facts, column).slice(1);
    return {
      ...outcome,
      steps: [first, ...rest, sql(`${text};`, `${table} goes on without it`), ...turned(facts)],
    };
  }
  const finish = isDropped(facts, column) ? [] : turned(facts);
  const steps = [
    ...takenOut(facts, column),
    sql(`${text};`, 'no publication and no contract names it any more'),
    ...finish,
  ];
  return { ...outcome, steps };
}

function refused(sqlstate: string, column: string): Omit<ActionAdvice, 'steps'> {
  const says = `Postgres refuses it (${sqlstate}), since the publication lists ${column}; all goes on`;
  return { outcome: 'refused', sqlstate, says };
}

function lost({ table }: TableFacts, column: string): Omit<ActionAdvice, 'steps'> {
  const says = `Postgres takes ${table} out of the publication with ${column}, without a word: its changes do not come any more`;
  return { outcome: 'lost', says };
}

function unfit(facts: TableFacts, column: string): Omit<ActionAdvice, 'steps'> {
  if (isDropped(facts, column)) {
    const says = `Postgres takes it and all goes on; the contract names ${column} and is refused at the next start`;
    return { outcome: 'unfit', says };
  }
  const says = `Postgres takes it; ${facts.table} waits as soon as ${column} is read at the source, or the contract is refused at the next start`;
  return { outcome: 'halts', says };
}

function retyped({ action, facts, text }: Asked<'retype column'>, isListed: boolean): ActionAdvice {
  const { column, type } = action;
  const { own, table } = facts;
  if (!isListed && isDropped(facts, column)) {
    return {
      outcome: 'safe',
      says: `${column} does not leave Postgres: its type is nobody's matter`,
      steps: [],
    };
  }
  const outcome = isListed ? refused('0A000', column) : unfit(facts, column);
  if (isListed && facts.sameKind(column, type) === true) {
    const why = `to ${table}'s consumers both types are the same: within one transaction nobody sees it out of the publication`;
    return { ...outcome, steps: [sql(aroundPublication(facts, text), why)] };
  }
  const rule = own!.contract.columns[column];
  if (facts.needed.has(column)) {
    return {
      ...outcome,
      steps: [
        sql(
          outOfPublication(facts),
          `${column} cannot leave the contract: the table leaves the publication for a while`,
        ),
        sql(`${text};`, 'nothing lists the column'),
        ...applied(
          'the table comes back to the publication, with what the other type needs built anew',
          true,
        ),
        ...turned(facts),
        run(
          `lethe reconcile ${table} --repair`,
          'makes good what changed while the table was out, deletes too',
        ),
      ],
    };
  }
  const back = edit(
    own!.file,
    `put columns.${column} back, with an action that takes the type`,
    'it may pass again',
    {
      put: ['columns', column],
      rule,
    },
  );
  return {
    ...outcome,
    steps: [
      ...takenOut(facts, column),
      sql(`${text};`, 'nothing lists the column'),
      back,
      ...applied('index, table and schema of the new type are built beside those that readers see', true),
      ...turned(facts),
      ...lateLetters(facts, column),
    ],
  };
}

function renamed({ action, facts, text }: Asked<'rename column'>, isListed: boolean): ActionAdvice {
  const { column, to } = action;
  const { file } = facts.own!;
  const isPassed = isListed || !isDropped(facts, column);
  const says = isPassed
    ? `Postgres takes it; ${facts.table} waits, since nobody knows what ${to} stands for: its changes wait, nothing is lost`
    : `Postgres takes it and all goes on; the contract names ${column} and is refused at the next start`;
  const outcome = { outcome: isPassed ? 'halts' : 'unfit', says } as const;
  if (facts.key.includes(column)) {
    const why = 'the records would get other keys, and nothing replaces those under the old ones';
    return { ...outcome, steps: [other(`leave the name of ${column}, a column of the key`, why)] };
  }
  const elsewhere = facts.needed.has(column) ? `, and wherever the contracts name it` : '';
  const change = { rename: ['columns', column], to } as const;
  return {
    ...outcome,
    steps: [
      sql(`${text};`, 'the application goes on; the changes of the table wait for the contract'),
      edit(
        file,
        `rename columns.${column} to ${to}${elsewhere}`,
        'the contract says what stands under the new name',
        elsewhere === '' ? change : undefined,
      ),
      ...applied('to the stores it is a column that goes and one that comes', !isDropped(facts, column)),
      ...(isDropped(facts, column) ? [] : [...turned(facts), ...lateLetters(facts, column)]),
    ],
  };
}

/** Changes from before do not have the column, and a row that must have it cannot go out without. */
function lateLetters({ table, nullable }: TableFacts, column: string): MigrationStep[] {
  if (nullable.has(column)) return [];
  const why = `changes from before have no such column, which may not be null: their rows are read again`;
  return [run(`lethe dlq retry --table ${table} --code SCHEMA_UNEXPECTED`, why)];
}

/** The key of a table's records cannot change in place. */
export function movedAway(facts: TableFacts, text: string): MigrationStep[] {
  const { table, own, hasOthers } = facts;
  const leaves = 'the table leaves the pipeline: the application can do with it what it will';
  const out = hasOthers
    ? [
        edit(own!.file, 'put the file away', leaves, { delete: true }),
        run('lethe plan', 'shows that the table leaves the publication'),
        run('lethe apply', 'the publication does not name the table any more'),
        restart('no instance asks for the table then'),
      ]
    : [sql(outOfPublication(facts), leaves)];
  const anew = `set ${table} up in a pipeline of another name and topics.prefix`;
  const why =
    'records under other keys need topics, index and table of their own; readers see the old ones until then';
  return [...out, sql(`${text};`, 'no publication asks for the old key'), other(anew, why)];
}
