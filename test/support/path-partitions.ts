import { Counters } from '../../pipeline/counters.ts';
import { createLog } from '../../pipeline/log.ts';
import type { LookupCipher } from '../../pipeline/lookup.ts';
import { LookupTables } from '../../pipeline/lookup-tables.ts';
import type { StoredRow } from '../../pipeline/lookup-store.ts';
import { Outages } from '../../pipeline/outage.ts';
import { ParkedRecords } from '../../pipeline/parked-records.ts';
import { RouteOutput, type TransformRoute } from '../../pipeline/route-output.ts';
import type { OutputRecord } from '../../pipeline/transactional-producer.ts';
import type { RawRecord } from '../../pipeline/transform.ts';
import { VersionClock } from '../../pipeline/version-clock.ts';
import { avroType } from '../../schemas/registry.ts';
import type { Contract } from '../../schemas/contract.ts';
import { type Dataset, deriveDataset } from '../../schemas/dataset.ts';
import { factsOf, followersOf } from '../../schemas/lookups.ts';
import { deadLetterHeader, header } from '../../schemas/record-headers.ts';
import { createTableTransform } from '../../transforms/table-transform.ts';
import { envelopeSchema, frame, type TestColumn } from './raw-events.ts';
import { SubjectKey } from '../../keys/subject-key.ts';
import { sharedKey, testCipher } from './test-keys.ts';

export const parentTable = 'public.orders';
export const childTable = 'public.items';
const lookupTopic = 'lookup';
const placeholder = '__lethe_unavailable_test';

const keep = { classification: 'internal', action: 'keep' } as const;
const column = (name: string, typeName: string, nullable: boolean, rule: TestColumn['rule']): TestColumn => ({
  name,
  typeName,
  nullable,
  rule,
});
const columns: Readonly<Record<string, readonly TestColumn[]>> = {
  [parentTable]: [
    column('id', 'int8', false, keep),
    column('customer_id', 'int8', false, { ...keep, action: 'drop' }),
    column('agreed', 'bool', true, { ...keep, action: 'drop' }),
  ],
  [childTable]: [
    column('id', 'int8', false, keep),
    column('order_id', 'int8', true, keep),
    column('note', 'text', false, { classification: 'content.free-text', action: 'encrypt' }),
  ],
};

const contractOf = (table: string, more: Partial<Contract> = {}): Contract => ({
  table,
  owner: 'tests',
  tier: 1,
  sinks: [],
  staleness: '1s',
  columns: Object.fromEntries(columns[table]!.map(({ name, rule }) => [name, rule!])),
  ...more,
});
/** Contracts of both tables: an item's subject is that of its order, and its consent too if so asked. */
export function pathContracts(withConsent: boolean): Contract[] {
  const path = (fact: string): [string, string] => ['order_id', `${parentTable}.${fact}`];
  return [
    contractOf(parentTable),
    contractOf(childTable, {
      subject: { type: 'customer', path: path('customer_id') },
      ...(withConsent ? { consent: { purpose: 'ads', path: path('agreed'), granted: [true] } } : {}),
    }),
  ];
}

function datasetOf(contract: Contract, contracts: readonly Contract[]): Dataset {
  const source = columns[contract.table]!.map((c) => ({
    ...c,
    typeKind: 'b',
    typeText: c.typeName,
    generated: false,
  }));
  return deriveDataset(
    contract,
    { table: contract.table, columns: source, primaryKey: ['id'], replicaIdentity: 'default', relKind: 'r' },
    factsOf(contract.table, contracts),
  );
}

/** Nothing is hidden: what is sealed is what it was. */
const openCipher: LookupCipher = {
  load: () => Promise.resolve(),
  digest: (_table, key) => `d${key}`,
  seal: (_table, _topic, payload) => payload,
  open: (_table, _topic, sealed) => sealed,
};

/** A row of either table. */
export type Row = Readonly<Record<string, bigint | string | boolean | null>>;

/** A change at the source. */
export interface SourceChange {
  readonly op: 'c' | 'u' | 'd' | 'r';
  readonly id: bigint;
  readonly row: Row | null;
  readonly lsn: bigint;
}

/** One partition of a table as the processor keeps it: everything that is committed, and nothing else. */
export class PathPartition {
  readonly clean = new Map<string, { version: string; value: Buffer | null }>();
  readonly signals: string[][] = [];
  readonly failures: string[] = [];
  private readonly route: TransformRoute;
  private readonly lookups: TestLookups;
  private readonly kept = new Map<string, Buffer>();
  private readonly envelope;
  private readonly keyType = avroType({
    type: 'record',
    name: 'Key',
    fields: [{ name: 'id', type: 'long' }],
  });
  private clock = VersionClock.from(null);
  private offset = 0;
  parked = this.emptyParked();

  constructor(table: string, contracts: readonly Contract[], lookups: TestLookups) {
    this.lookups = lookups;
    const schema = envelopeSchema(columns[table]!);
    this.envelope = avroType(schema);
    const keySchema = { type: 'record', name: 'Key', fields: [{ name: 'id', type: 'long' }] };
    const dataset = datasetOf(contracts.find((contract) => contract.table === table)!, contracts);
    const { tables } = lookups;
    this.route = {
      transform: createTableTransform({
        dataset,
        cleanSchemaId: 9,
        writerSchema: (id) => Promise.resolve((id === 1 ? schema : keySchema) as never),
        protection: {
          dataKeys: (_type, ids) => Promise.resolve(ids.map(dataKeyOf)),
          areSuppressed: (_type, ids) => Promise.resolve(ids.map(() => false)),
          sharedKey: (use) => Promise.resolve(sharedKey(use)),
        },
        cipher: testCipher,
        resolver: { read: () => Promise.resolve([]) },
        lookups: tables,
        placeholder,
      }),
      rawTopic: 'raw',
      cleanTopic: 'clean',
      deadLetterTopic: 'dead',
      lookups: {
        tables,
        followed: table === childTable ? [parentTable] : [],
        ...(table === childTable ? { parking: { topic: 'parked', deadlineMs: 600_000 } } : {}),
        ...(table === parentTable
          ? {
              lookedUp: {
                table,
                topic: lookupTopic,
                followers: followersOf(table, contracts),
                signal: (_follower, keys): OutputRecord => ({
                  topic: 'signals',
                  key: '',
                  value: Buffer.from(JSON.stringify(keys)),
                  headers: {},
                }),
              },
            }
          : {}),
      },
    };
  }

  /** Processes changes in one transaction; if it is not to commit, nothing of it is left. */
  async process(changes: readonly SourceChange[], commits: boolean): Promise<void> {
    const records = changes.map((change, i) => this.raw(change, this.offset + i));
    const clock = this.clock.copy();
    this.lookups.catchUp();
    if (!(await this.commit(this.output().batch(records, clock, this.patience()), commits))) return;
    this.clock = clock;
    this.offset += changes.length;
  }

  /** Lets go what waits; `expiredBefore` is a time in ms. */
  async release(expiredBefore: number, commits: boolean): Promise<void> {
    const rows = this.parked.due((row) => this.lookups.tables.has(row.table, row.digest), expiredBefore);
    await this.commit(this.output().released(rows, expiredBefore, this.clock, this.patience()), commits);
  }

  /** Forgets what is in memory, as a process that dies. */
  restart(): void {
    this.parked = this.emptyParked();
    const inOrder = [...this.kept].sort(([a], [b]) => Number(a) - Number(b));
    for (const [offset, sealed] of inOrder) this.parked.restore(offset, sealed);
  }

  /** Ids of the subjects whose keys the rows are encrypted under; rows that were taken back are left out. */
  subjects(): Map<string, string> {
    const present = [...this.clean].filter(([, { value }]) => value !== null);
    // The key's id stands behind the frame, id, order_id and the length of the ciphertext: see dataKeyOf.
    return new Map(present.map(([key, { value }]) => [key, /<(\d+)>/.exec(value!.toString('latin1'))![1]!]));
  }

  private async commit(output: AsyncIterable<readonly OutputRecord[]>, commits: boolean): Promise<boolean> {
    const written: OutputRecord[] = [];
    for await (const part of output) written.push(...part);
    if (commits) for (const record of written) this.apply(record);
    else this.restart();
    return commits;
  }

  private apply({ topic, key, value, headers }: OutputRecord): void {
    const version = headers[header.version] ?? '';
    if (topic === 'clean') {
      const known = this.clean.get(key);
      if (!known || known.version <= version) this.clean.set(key, { version, value });
    } else if (topic === lookupTopic) this.lookups.write(key, value && { version, sealed: value });
    else if (topic === 'signals') this.signals.push(JSON.parse(value!.toString()) as string[]);
    else if (topic === 'dead') this.failures.push(headers[deadLetterHeader.code]!);
    else if (value) this.kept.set(key, value);
    else this.kept.delete(key);
  }

  private output(): RouteOutput {
    const parts = {
      sealer: { seal: (payload: Buffer) => Promise.resolve({ sealed: payload, keyId: '' }) },
      counters: new Counters(),
      log: quiet,
    };
    const { parking } = this.route.lookups!;
    return new RouteOutput(parts, this.route, 0, parking && this.parked);
  }

  private emptyParked(): ParkedRecords {
    return new ParkedRecords({ table: childTable, topic: 'parked', partition: 0, cipher: openCipher }, 1_000);
  }

  private patience() {
    return { outages: new Outages(quiet), signal: AbortSignal.abort() };
  }

  private raw({ op, id, row, lsn }: SourceChange, offset: number): RawRecord {
    const source = {
      version: '3',
      ts_ms: 0n,
      snapshot: 'false',
      sequence: `["${lsn}","${lsn}"]`,
      schema: '',
      table: '',
      txId: lsn,
      lsn,
    };
    const event = { before: null, after: row, source, transaction: null, op, ts_ms: null };
    return {
      offset: String(offset),
      key: frame(2, this.keyType.toBuffer({ id })),
      value: frame(1, this.envelope.toBuffer(event)),
    };
  }
}

/** A store that takes in what was written when it is told to. */
export class TestLookups {
  private readonly rows = new Map<string, StoredRow>();
  private readonly gone = new Set<string>();
  private waiting: (readonly [string, StoredRow | null])[] = [];
  readonly tables = new LookupTables({
    store: {
      get: (_table, digest) => this.rows.get(digest),
      has: (_table, digest) => this.rows.has(digest),
      wasDeleted: (_table, digest) => this.gone.has(digest),
    },
    follower: {
      caughtUp: () => Promise.resolve(),
      isCaughtUp: () => Promise.resolve(true),
      changes: 0,
    },
    cipher: openCipher,
    topics: new Map([[parentTable, lookupTopic]]),
  });

  write(digest: string, row: StoredRow | null): void {
    this.waiting.push([digest, row]);
  }

  catchUp(): void {
    for (const [digest, row] of this.waiting) {
      if (row) this.rows.set(digest, row);
      else if (this.rows.delete(digest)) this.gone.add(digest);
    }
    this.waiting = [];
  }
}

const quiet = createLog('silent');

/** A key whose id says whose it is. */
function dataKeyOf(id: string): SubjectKey {
  return new SubjectKey(Buffer.from(`<${id}>`.padEnd(16)), 1, Buffer.alloc(64, Number(id)));
}
