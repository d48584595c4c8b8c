import type { Contract } from '../../schemas/contract.ts';

/** A table of every kind of value with its contract, and what it is in each place by the written rules. */

const keep = { classification: 'internal', action: 'keep' } as const;
export const table = 'public.people';
export const contract: Contract = {
  table,
  owner: 'tests',
  tier: 1,
  subject: { type: 'person', key: 'id' },
  sinks: ['elasticsearch', 'clickhouse'],
  staleness: '30s',
  columns: {
    tenant: keep,
    id: keep,
    name: { classification: 'person.name', action: 'encrypt' },
    born: { classification: 'person.birth', action: 'encrypt' },
    email: { classification: 'person.contact', action: 'hash' },
    iban: { classification: 'payment.bank', action: 'mask', keepStart: 2, keepEnd: 4 },
    nick: { classification: 'person.name', action: 'null' },
    gone: { classification: 'credential', action: 'drop' },
    balance: keep,
    small: keep,
    flag: keep,
    seen: keep,
    local: keep,
    day: keep,
    at: keep,
    doc: keep,
    blob: keep,
    tags: keep,
    nums: keep,
    uid: keep,
    exact: keep,
  },
};

export const ddl = `CREATE TABLE people (tenant text, id bigint, name text, born date, email text, iban text, nick text,
  gone text, unnamed text, balance numeric(12,2), small real, flag boolean, seen timestamptz, local timestamp,
  day date, at time, doc jsonb, blob bytea, tags text[], nums bigint[], uid uuid, exact numeric,
  PRIMARY KEY (tenant, id))`;
export const inserts = [
  `INSERT INTO people VALUES ('eu|1', 9223372036854775807, 'Alice ë', '2000-02-29', 'a@example.org',
    'DE89370400440532013000', 'nick', 'secret', 'unnamed', 1234.50, 0.1, true, '2024-02-29 12:00:00.5+02',
    '2024-02-29 12:00:00.123456', '1900-01-01', '24:00', '{"a":[1.50,12345678901234567890]}', '\\x00ff',
    '{a,"b,c",NULL}', '{9007199254740993}', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 0.00000001)`,
  `INSERT INTO people (tenant, id) VALUES ('', -1)`,
  `INSERT INTO people (tenant, id, name, iban, tags) VALUES ('eu', 3, '', 'DE8937', '{}')`,
];
export const keys = ['eu%7C1|9223372036854775807', '%00|-1', 'eu|3'] as const;

const optional = (type: unknown) => ({ type: ['null', type], default: null });
export const avroSchema = {
  type: 'record',
  name: 'people',
  namespace: 'lethe.public',
  fields: Object.entries({
    tenant: { type: 'string' },
    id: { type: 'long' },
    name: optional({ type: 'bytes', 'lethe.plain': 'string' }),
    born: optional({ type: 'bytes', 'lethe.plain': { type: 'int', logicalType: 'date' } }),
    email: optional('string'),
    iban: optional('string'),
    nick: optional('string'),
    balance: optional('string'),
    small: optional('float'),
    flag: optional('boolean'),
    seen: optional('string'),
    local: optional({ type: 'long', logicalType: 'local-timestamp-micros' }),
    day: optional({ type: 'int', logicalType: 'date' }),
    at: optional({ type: 'long', logicalType: 'time-micros' }),
    doc: optional('string'),
    blob: optional('bytes'),
    tags: optional({ type: 'array', items: ['null', 'string'] }),
    nums: optional({ type: 'array', items: ['null', 'long'] }),
    uid: optional({ type: 'string', logicalType: 'uuid' }),
    exact: optional('string'),
  }).map(([name, type]) => ({ name, ...type })),
};

export const clickhouseColumns = `tenant String, id Int64, name Nullable(String), born Nullable(String),
  email Nullable(String), iban Nullable(String), nick Nullable(String), balance Nullable(Decimal(12, 2)),
  small Nullable(Float32), flag Nullable(Bool), seen Nullable(DateTime64(6, 'UTC')),
  local Nullable(DateTime64(6, 'UTC')), day Nullable(Date32), at Nullable(String), doc Nullable(String),
  blob Nullable(String), tags Array(Nullable(String)), nums Array(Nullable(Int64)), uid Nullable(UUID),
  exact Nullable(String), _lethe_version UInt256, _lethe_deleted UInt8`;
