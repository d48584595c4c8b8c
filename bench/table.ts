/** The table that is measured, and how many data subjects its rows belong to. */
export const table = 'public.orders';
const subjects = 5_000;

interface Column {
  readonly name: string;
  readonly type: string;
  /** Its value as SQL over `g`, the row's number. Nothing has a default: the raw schema stays free of them. */
  readonly value: string;
  /** Its line in the contract. */
  readonly rule: string;
}

const column = (name: string, type: string, value: string, rule: string): Column => ({
  name,
  type,
  value,
  rule: `{ classification: ${rule} }`,
});

/** 24 columns, about 360 bytes a row: 4 dropped, 1 hashed, 2 encrypted, 2 masked, 15 kept. */
const columns: readonly Column[] = [
  column('id', 'bigint not null', 'g', 'internal, action: keep'),
  column('customer_id', 'integer not null', `(g % ${subjects})::int`, 'person.id, action: keep'),
  column('customer_ref', 'uuid not null', `md5('ref' || g % ${subjects})::uuid`, 'person.id, action: hash'),
  column(
    'status',
    'text not null',
    `(array['new','paid','packed','sent'])[1 + g % 4]`,
    'internal, action: keep',
  ),
  column(
    'email',
    'text not null',
    `'customer.' || g % ${subjects} || '@mail.example'`,
    'person.contact, action: encrypt',
  ),
  column('full_name', 'text not null', `'Given Family ' || g % ${subjects}`, 'person.name, action: encrypt'),
  column('shipped_on', 'date', `date '2026-01-02' + (g % 300)::int`, 'internal, action: keep'),
  column(
    'phone',
    'text',
    `'+49 30 ' || lpad((g % 10000000)::text, 8, '0')`,
    'person.contact, action: mask, keepEnd: 2',
  ),
  column('display_name', 'text', `'Family ' || g % ${subjects}`, 'person.name, action: mask, keepStart: 1'),
  column('street', 'text', `'Long Street ' || g % 900`, 'person.address, action: drop'),
  column(
    'card_number',
    'text',
    `lpad((g * 7919 % 10000000000)::text, 16, '4')`,
    'payment.card, action: drop',
  ),
  column('client_ip', 'text', `'192.0.2.' || g % 256`, 'network.address, action: drop'),
  column(
    'delivery_note',
    'text',
    `'leave it at ' || left(md5(g::text), 12)`,
    'content.free-text, action: drop',
  ),
  column('city', 'text', `'Town ' || g % 300`, 'location, action: keep'),
  column('country', 'text not null', `(array['DE','FR','PL','NL'])[1 + g % 4]`, 'location, action: keep'),
  column('currency', 'text not null', `'EUR'`, 'internal, action: keep'),
  column('amount', 'numeric(12,2) not null', '(g % 100000)::numeric / 100', 'internal, action: keep'),
  column('quantity', 'integer not null', '(1 + g % 9)::int', 'internal, action: keep'),
  column('weight_grams', 'integer', '(250 * (1 + g % 9))::int', 'internal, action: keep'),
  column('discount', 'double precision', '(g % 30)::float8 / 100', 'internal, action: keep'),
  column('is_gift', 'boolean not null', 'g % 7 = 0', 'internal, action: keep'),
  column(
    'attributes',
    'jsonb',
    `jsonb_build_object('roast', 'dark', 'batch', left(md5(g::text), 16))`,
    'internal, action: keep',
  ),
  column(
    'ordered_at',
    'timestamptz not null',
    `timestamptz '2026-01-01' + g * interval '1 second'`,
    'internal, action: keep',
  ),
  column(
    'updated_at',
    'timestamp',
    `timestamp '2026-01-02' + g * interval '1 second'`,
    'internal, action: keep',
  ),
];

export const createTable = `create table ${table} (${columns
  .map(({ name, type }) => `${name} ${type}`)
  .join(', ')}, primary key (id))`;

/** Inserts the rows numbered from $1 to $2. */
export const insertRows = `insert into ${table} select ${columns
  .map(({ value }) => value)
  .join(', ')} from generate_series($1::bigint, $2::bigint) g`;

/** The contract of the table, as a team would write it. */
export const contract = `table: ${table}
owner: benchmark@lethe.example
tier: 1
subject: { type: customer, key: customer_id }
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
${columns.map(({ name, rule }) => `  ${name}: ${rule}`).join('\n')}
`;
