import type { BenchTables } from './bench-project.ts';

/** The kind of person that the tables belong to. */
export const subjectType = 'customer';

/** A table, and what a person has in it; SQL over `s`, the person's number, and `n`, the record's among the person's own. */
interface PersonalTable {
  readonly table: string;
  /** Records of each person. */
  readonly records: number;
  readonly columns: string;
  readonly values: string;
  readonly contract: string;
}

// No text of one person is part of another's: the verification would meet it there.
const text = (what: string, of: string) => `md5('${what}' || ${of})`;
const contractOf = (table: string, key: string, columns: readonly string[]) => `table: ${table}
owner: benchmark@lethe.example
tier: 1
subject: { type: ${subjectType}, key: ${key} }
sinks: [elasticsearch, clickhouse]
staleness: 30s
erasure: { source: delete }
columns:
${columns.map((column) => `  ${column}\n`).join('')}`;
const kept = (name: string) => `${name}: { classification: internal, action: keep }`;

/** Ten records of each person in three tables, and so in three topics. */
export const personalTables: readonly PersonalTable[] = [
  {
    table: 'public.customers',
    records: 1,
    columns: 'id bigint primary key, email text not null, full_name text not null, city text not null',
    values: `s, ${text('mail', 's')} || '@mail.example', ${text('name', 's')}, 'Town ' || s % 300`,
    contract: contractOf('public.customers', 'id', [
      'id: { classification: person.id, action: keep }',
      'email: { classification: person.contact, action: encrypt }',
      'full_name: { classification: person.name, action: hash }',
      kept('city'),
    ]),
  },
  ...[
    { table: 'public.orders', records: 5, secret: 'note', rule: 'content.free-text, action: encrypt' },
    { table: 'public.payments', records: 4, secret: 'card', rule: 'payment.card, action: encrypt' },
  ].map(({ table, records, secret, rule }) => ({
    table,
    records,
    columns: `id bigint primary key, customer_id bigint not null, ${secret} text not null, amount int not null`,
    values: `(s - 1) * ${records} + n, s, ${text(secret, `((s - 1) * ${records} + n)`)}, (s % 1000)::int`,
    contract: contractOf(table, 'customer_id', [
      kept('id'),
      'customer_id: { classification: person.id, action: keep }',
      `${secret}: { classification: ${rule} }`,
      kept('amount'),
    ]),
  })),
];

export const recordsOfAPerson = personalTables.reduce((sum, { records }) => sum + records, 0);

export const erasureTables: BenchTables = {
  ddl: personalTables
    .map(
      ({ table, columns }) =>
        `create table ${table} (${columns});` +
        (columns.includes('customer_id') ? `create index on ${table} (customer_id);` : ''),
    )
    .join('\n'),
  contracts: Object.fromEntries(personalTables.map(({ table, contract }) => [`${table}.yaml`, contract])),
};

/** Inserts all rows of the persons numbered from $1 to $2 into one table. */
export function insertPersons({ table, records, values }: PersonalTable): string {
  return `insert into ${table} select ${values}
    from generate_series($1::bigint, $2::bigint) s cross join generate_series(1, ${records}) n`;
}

/** Gives the index the records of the persons of `given` (s, d) in one table: what the transform would have noted of them. */
export function indexPersons({ table, records }: PersonalTable, version: string): string {
  const key = records === 1 ? 's' : `((s - 1) * ${records} + n)`;
  return `insert into lethe_erasure.records (dataset, record_key, subject_type, subject_digest, version)
    select '${table}', ${key}::text, '${subjectType}', d, '${version}'
      from unnest($1::bigint[], $2::bytea[]) as given (s, d) cross join generate_series(1, ${records}) n`;
}
