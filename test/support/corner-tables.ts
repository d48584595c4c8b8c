import { randomBytes, randomInt } from 'node:crypto';
import type { Canary } from '../../verify/canary.ts';

/** In every text that may be found nowhere behind the contracts; another one in each run. */
export const mark = `zq7_${randomBytes(4).toString('hex')}`;
/** The same for what stands in signals, which Debezium's own log tells of. */
export const signalMark = `zq8_${randomBytes(4).toString('hex')}`;
/** The first digits of every phone number, for what format-preserving encryption leaves digits. */
const phonePrefix = String(randomInt(10 ** 11, 10 ** 12));

export const mail = (n: number): string => `${mark}_mail_${n}@mail.example`;
export const phone = (n: number): string => `${phonePrefix}${String(n).padStart(4, '0')}`;

const head = (table: string, rest = ''): string => `table: public.${table}
owner: test@lethe.example
tier: 1
sinks: [elasticsearch, clickhouse]
staleness: 30s
${rest}columns:
`;

const byMail = `  mail: { classification: person.contact, action: tokenise, domain: mail }
  phone: { classification: person.contact, action: format-preserving, alphabet: digits, domain: mail }
`;

/** Personal primary keys in pairs of tables, the second of which refers to the first; and tables for single stories. */
export const contracts: Readonly<Record<string, string>> = {
  'members.yaml': `${head('members')}  mail: { classification: person.contact, action: hash, domain: mail }
  mood: { classification: internal, action: keep }
  handle: { classification: internal, action: keep }
  status: { classification: internal, action: keep }
  secret: { classification: credential, action: drop }
`,
  'posts.yaml': `${head('posts', 'subject: { type: customer, key: author }\n')}  author: { classification: person.contact, action: hash, domain: mail }
  n: { classification: internal, action: keep }
  body: { classification: content.free-text, action: encrypt }
`,
  'logins.yaml': `${head('logins')}${byMail}  seen: { classification: internal, action: keep }
`,
  'devices.yaml': `${head('devices')}${byMail}  n: { classification: internal, action: keep }
`,
  'visits.yaml': `${head('visits')}  id: { classification: internal, action: keep }
  who: { classification: person.contact, action: hash }
  pages: { classification: internal, action: keep }
  secret: { classification: credential, action: drop }
  home: { classification: person.address, action: paths, paths: { street: { action: hash }, city: { action: keep } } }
`,
  'emptied.yaml': `${head('emptied', 'truncate: ignore\n')}  id: { classification: internal, action: keep }
  who: { classification: person.contact, action: mask }
`,
};

/** Every place in DDL that holds somebody's text has a canary. */
export const ddl = `
  create type "${mark}_enum" as enum ('fine', '${mark}_label');
  create type "${mark}_type" as (street text, city text, "${mark}_field" text);
  create domain "${mark}_domain" as text constraint "${mark}_domain_check" check (value <> '${mark}_value');
  create table members (
    mail text primary key,
    mood "${mark}_enum" default '${mark}_label',
    handle "${mark}_domain" default '${mark}_default',
    status text not null default '${mark}_default',
    secret text not null default '${mark}_default',
    constraint "${mark}_check" check (status <> '${mark}_value'));
  create index "${mark}_index" on members (lower(handle)) where status <> '${mark}_value';
  comment on table members is '${mark}_comment';
  comment on column members.mail is '${mark}_comment';
  comment on column members.handle is '${mark}_comment';
  comment on constraint "${mark}_check" on members is '${mark}_comment';
  comment on type "${mark}_enum" is '${mark}_comment';
  comment on domain "${mark}_domain" is '${mark}_comment';
  create table posts (
    author text references members on update cascade on delete cascade, n int, body text, primary key (author, n));
  create table logins (mail text, phone text, seen int, primary key (mail, phone));
  create table devices (
    mail text, phone text, n int, primary key (mail, phone, n),
    foreign key (mail, phone) references logins on update cascade on delete cascade);
  create table visits (id int primary key, who text not null, pages int not null, secret text not null,
    home "${mark}_type" default row('${mark}_street', 'Berlin', '${mark}_field'));
  create table emptied (id int primary key, who text);`;

const canary = (column: string, bytes: string): Canary => ({
  table: 'corners',
  column,
  action: 'unnamed',
  bytes: [Buffer.from(bytes)],
});

export const canaries: readonly Canary[] = [canary('text', mark), canary('phone', phonePrefix)];
export const signalCanaries: readonly Canary[] = [canary('signal', signalMark)];
