/** What an editor shows for a key of lethe.yaml; `*` stands for any name. */
export const configDescriptions: Readonly<Record<string, string>> = {
  name: 'Names everything this pipeline owns: slot, publication, connector, consumer groups, indexes, database.',
  contracts: 'Folder of the contracts, relative to this file.',
  state: 'Folder of what the transform keeps on disk, relative to this file. It can be made anew from Kafka.',
  rules: 'File of the rules that every contract must keep, relative to this file.',
  postgres: 'The source, as Lethe sees it.',
  'postgres.url': 'postgres://user@host:port/database; the password beside it or in it.',
  'postgres.password': 'Give ${env:NAME} or ${file:PATH}.',
  'postgres.tls': 'true, or the authority and client certificate as PEM text.',
  'kafka.brokers': 'host:port of at least one broker.',
  connect: 'The REST API of Kafka Connect.',
  'connect.postgresHost': 'Host of Postgres as the Connect workers see it, where it differs.',
  'connect.postgresPort': 'Port of Postgres as the Connect workers see it, where it differs.',
  'connect.registryUrl': 'Address of the registry as the Connect workers see it, where it differs.',
  'connect.postgresPassword':
    'What stands in the connector’s configuration instead of the password: a reference to one of Connect’s config providers. Passed on as it is written.',
  'registry.url': 'Address of the Confluent API; of Apicurio with /apis/ccompat/v7.',
  'elasticsearch.apiKey': 'Instead of username and password.',
  'clickhouse.database': 'The pipeline’s name if left out.',
  'keys.url': 'The key store’s own database, apart from the source.',
  environment:
    'In production a master key in a file and a key store in the source’s own cluster are refused; production if left out.',
  overrides: 'What is taken in production all the same; `lethe status` and certificates show it.',
  'keys.master': 'Where the keys live that wrap all others: a file, HashiCorp Vault, AWS KMS.',
  'keys.master.file':
    'Made by `lethe apply` with the mode 0600, relative to this file. Outside of every repository and backup.',
  'keys.master.token': 'Give ${env:NAME} or ${file:PATH}.',
  'keys.master.mount': 'Where the transit engine is mounted; transit if left out.',
  'keys.master.secretAccessKey': 'Give ${env:NAME} or ${file:PATH}; or leave both out for AWS’ own chain.',
  erasure: 'Who approves erasures, and who is told of them.',
  'erasure.approvals':
    'How many approve a request of an erasure, besides who filed it, before anything is done; none if left out.',
  'erasure.recipients':
    'Who has data from this pipeline: each is told when a person in his tables is erased.',
  'erasure.recipients.[].name': 'Of a job or a company rather than of a person: certificates keep it.',
  'erasure.recipients.[].tables': 'schema.table of each table that he gets; each has a subject.',
  'erasure.acknowledgeDays': 'A recipient who has not acknowledged for so long is an alarm; 30 if left out.',
  'topics.prefix': 'Put before raw., clean. and deadletter., for several pipelines on one cluster.',
  'topics.partitions': 'Of each raw and clean topic. It cannot change later.',
  'topics.replicationFactor': 'Of every topic.',
};

/** What an editor shows for a key of a contract. */
export const contractDescriptions: Readonly<Record<string, string>> = {
  table: 'schema.table in Postgres, with its case.',
  owner: 'Who answers for this contract.',
  tier: '0 must be correct, 1 correct soon, 2 best effort.',
  subject: 'Whose data a row is.',
  'subject.type': 'The kind of person, for example customer.',
  'subject.key': 'The column that says which one; it must be among the columns.',
  'subject.path':
    'Instead of a key: the row’s own column, then schema.table.column looked up by that table’s primary key, as often as needed.',
  'parking.deadline':
    'How long a row waits for one that its paths lead to; 10m if left out. Then it becomes a dead letter, or does not pass.',
  where: 'Conditions that all must hold of a row for it to pass; null is in no list and outside of none.',
  consent: 'Rows of people who did not agree to the purpose do not pass.',
  'consent.purpose': 'What the table is used for, for example marketing.',
  'consent.column': 'The column that says whether the person agreed; it must be among the columns.',
  'consent.path':
    'Instead of a column: the row’s own column, then schema.table.column looked up by that table’s primary key, as often as needed.',
  'consent.granted': 'Values that mean yes; true if left out.',
  erasure: 'What becomes of a person’s rows when the person is erased.',
  'erasure.source':
    'What becomes of the rows at the source: delete; null (the columns below are set to null); application (left to the application, the default; the certificate says so).',
  'erasure.columns': 'Columns that source: null sets to null; they need not be among those that pass.',
  'erasure.retain': 'What the law has to be kept: the row stays, with these columns alone.',
  'erasure.retain.columns':
    'None that says whose row it is, and none of the primary key: a row that is kept has an id drawn by lot.',
  'erasure.retain.basis': 'The law, decision or contract that asks for it; it stands in the certificate.',
  'erasure.retain.for': 'Calendar years, months or days from the erasure on: 10y, 18m, 90d.',
  'erasure.starts': 'true: a delete of the person’s own row starts an erasure.',
  sinks: 'The stores that the table feeds.',
  staleness: 'How old a store may be: 500ms, 30s, 5m, 1h.',
  unclassified:
    'What becomes of the table when it has a column that stands in no contract: drop (the column does not pass, the default) or halt (nothing does).',
  columns: 'Every column that may pass and what becomes of it. What is not named does not pass.',
  'columns.*.classification': 'What the column holds.',
  'columns.*.sinks': 'The stores that get the column; all of the table’s if left out.',
  'columns.*.searchable': 'false: Elasticsearch stores the column and cannot be searched by it.',
  'columns.*.action':
    'keep; drop (never leaves Postgres); null (never leaves Postgres, stays as an empty column); mask; truncate; generalise (to a period, a network or a band); hash (a keyed pseudonym); tokenise (a pseudonym that whoever has the key can open); format-preserving (encrypted into the same alphabet); redact (takes e-mails, phones, cards, accounts, ids, addresses and names out of free text); encrypt (under the subject’s own key); paths (a rule for each path into json, hstore or an array).',
  'columns.*.keepStart': 'Characters left readable at the start.',
  'columns.*.keepEnd': 'Characters left readable at the end.',
  'columns.*.keep': 'Characters of the start that are kept.',
  'columns.*.to':
    'year, month or day for times; network for addresses; for numbers the width of a band, such as 10 or 0.01.',
  'columns.*.v4': 'With to: network, the bits that are kept of an IPv4 address; 24 if left out.',
  'columns.*.v6': 'With to: network, the bits that are kept of an IPv6 address; 48 if left out.',
  'columns.*.alphabet':
    'The characters that are encrypted among themselves; all but separators must be of it.',
  'columns.*.kinds': 'What redact looks for; everything if left out: docs/redaction.md.',
  'columns.*.names': 'Columns of the row whose values are names for redact to find.',
  'columns.*.paths':
    'Keys parted by dots, [] for the elements of an array, * for any key, ** at the end for all below. What no path names does not pass.',
  'columns.*.domain':
    'Columns of one domain can be joined; without one the value’s stand-in is bound to table and column.',
};

/** What an editor shows for a key of the house rules; `[]` stands for the entries of a list. */
export const rulesDescriptions: Readonly<Record<string, string>> = {
  defaults: 'What becomes of a column whose contract gives only its classification.',
  rules: 'What every contract must keep.',
  'rules.[].classification': 'One classification, a family of them such as person.*, or * for all.',
  'rules.[].tables': 'Only in these tables; * stands for any characters of a name.',
  'rules.[].never': 'Actions that it must not have.',
  'rules.[].only': 'Actions of which it must have one.',
  'rules.[].sinks': 'Stores that it may go to; none if the list is empty.',
  'rules.[].mask.mostShown': 'Characters that a mask may leave readable, start and end together.',
  'rules.[].because': 'Told with every breach: a law, a standard, a decision.',
};
