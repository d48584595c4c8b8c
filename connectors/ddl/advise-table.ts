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
} from './advice.ts';

/** Of a table as a whole: another name, gone, or emptied. */
export function adviseTable(asked: Asked<'rename table' | 'drop table' | 'truncate'>): ActionAdvice {
  const { action, text, facts } = asked;
  if (action.kind === 'rename table') return renamed({ action, text, facts });
  return action.kind === 'truncate' ? truncated(asked) : dropped(asked);
}

function renamed({ action: { to }, text, facts }: Asked<'rename table'>): ActionAdvice {
  const { table, own, lookedUpBy, contractOf } = facts;
  const taken = contractOf(to);
  if (!own && taken) {
    return {
      outcome: 'lost',
      says: `${to} has a contract, and this table is not in the publication: its changes do not come under that name`,
      steps: [
        sql(`${text};`, 'the application goes on'),
        run('lethe plan', 'shows that the table of this name is not in the publication'),
        run('lethe apply', 'the publication names the table that has the name now'),
        run(
          `lethe reconcile ${to} --repair`,
          'makes good what differs between the two tables, and what changed meanwhile',
        ),
      ],
    };
  }
  if (!own) return { outcome: 'safe', says: `no contract names ${table} or ${to}`, steps: [] };
  const paths = lookedUpBy.map(({ file }) =>
    edit(file, `name ${to} in its paths`, `its rows are looked up in ${table}`),
  );
  return {
    outcome: 'lost',
    says: `the publication follows the table, the contract does not: changes under the name ${to} do not pass, and \`lethe status\` raises an alarm`,
    steps: [
      sql(
        `${text};`,
        'the application goes on; what changes until the contract follows is read with the rows',
      ),
      edit(own.file, `table: ${to}`, 'topics, index and table are named after it', {
        put: ['table'],
        rule: to,
      }),
      ...paths,
      ...applied('topics, index and table of the new name are made, and all rows are read into them', false),
      removed(table),
    ],
  };
}

function dropped({ text, facts }: Asked<'rename table' | 'drop table' | 'truncate'>): ActionAdvice {
  const { table, own, hasOthers, lookedUpBy } = facts;
  const paths = lookedUpBy.map(({ file }) =>
    edit(file, 'take out the paths over it', `they lead to ${table}`),
  );
  const away = hasOthers
    ? [
        ...paths,
        edit(own!.file, 'put the file away', 'nothing asks for the table any more', { delete: true }),
        run('lethe plan', 'shows that the table leaves the publication'),
        run('lethe apply', 'the publication does not name it any more'),
        restart('no instance asks for the table then'),
      ]
    : [other('stop `lethe run` and take the pipeline down', 'without this contract there is none left')];
  return {
    outcome: 'lost',
    says: `Postgres takes ${table} out of the publication without a word: its rows stay in topic and stores for good`,
    steps: [...emptied(table), ...away, sql(`${text};`, 'nothing asks for it any more'), removed(table)],
  };
}

/** By what the table's contract says of it. */
function truncated({
  text,
  facts: { table, own },
}: Asked<'rename table' | 'drop table' | 'truncate'>): ActionAdvice {
  switch (own?.contract.truncate) {
    case 'delete':
      return {
        outcome: 'safe',
        says: 'each of its rows is deleted downstream',
        steps: [sql(`${text};`, 'as it stands')],
      };
    case 'ignore':
      return {
        outcome: 'lost',
        says: 'its rows stay in topic and stores, as its contract has it',
        steps: emptied(table),
      };
    default:
      return {
        outcome: 'halts',
        says: 'its contract does not say what becomes of the rows: the table waits',
        steps: emptied(table),
      };
  }
}

function emptied(table: string): MigrationStep[] {
  return [
    sql(`DELETE FROM ${table};`, 'each row is deleted downstream as well; of a large table, in parts'),
    run(`lethe reconcile ${table}`, 'waits until the stores have all of it, and shows that nothing is left'),
  ];
}

function removed(table: string): MigrationStep {
  const why = 'they hold what they held: nothing here deletes them';
  return other(`delete the topics, the index and the table of ${table} when nobody reads them`, why);
}
