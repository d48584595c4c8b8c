import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ciphertextPrefix } from '../../keys/ciphertext.ts';
import type { ColumnRule } from '../../schemas/column-rule.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { removeRowsOfSubjects } from '../../sinks/clickhouse/rows-of-subjects.ts';
import { rowsOfSubjects } from '../../sinks/clickhouse/view-rows.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { removeDocumentsOfSubjects } from '../../sinks/elasticsearch/documents-of-subjects.ts';
import { idsOfSubjects } from '../../sinks/elasticsearch/ids-of-subjects.ts';
import type { FoundBySubject, SubjectMarks } from '../../sinks/subject-marks.ts';
import { makeClickhouseHarness } from '../support/clickhouse-harness.ts';
import { makeElasticsearchHarness } from '../support/elasticsearch-harness.ts';
import { at, change, testDataset, type TestColumn } from '../support/sink-datasets.ts';
import type { SinkHarness } from '../support/sink-suite.ts';
import { acquireStack } from '../support/stack.ts';

const waiting = { signal: new AbortController().signal, limitMs: 120_000 };

/** A store, and the search in it. */
interface Store {
  readonly harness: SinkHarness;
  readonly remove: (dataset: Dataset, marks: SubjectMarks) => Promise<FoundBySubject[]>;
  /** Ids of the rows that are only read. */
  readonly read: (dataset: Dataset, marks: SubjectMarks) => Promise<string[]>;
  readonly close: () => Promise<void>;
}

const stores: readonly [string, () => Promise<Store>][] = [
  [
    'clickhouse',
    async () => {
      const { endpoints } = await acquireStack();
      const harness = await makeClickhouseHarness(endpoints.clickhouse.url);
      const client = createClickhouseClient(harness.config.clickhouse!);
      return {
        harness,
        remove: (dataset, marks) =>
          removeRowsOfSubjects(
            client,
            harness.config,
            dataset,
            marks,
            randomBytes(20).toString('hex'),
            waiting,
          ),
        read: async (dataset, marks) =>
          (await rowsOfSubjects(client, harness.config, dataset, marks)).map((row) => String(row['id'])),
        close: () => client.close(),
      };
    },
  ],
  [
    'elasticsearch',
    async () => {
      const { endpoints } = await acquireStack();
      const harness = await makeElasticsearchHarness(endpoints.elasticsearch.url);
      const client = createElasticsearchClient(harness.config.elasticsearch!);
      return {
        harness,
        remove: (dataset, marks) =>
          removeDocumentsOfSubjects(client, harness.config, dataset, marks, waiting),
        read: (dataset, marks) => idsOfSubjects(client, harness.config, dataset, marks),
        close: () => client.close(),
      };
    },
  ],
];

const [hers, his] = [randomBytes(16), randomBytes(16)];
const ciphertext = (keyId: Buffer, generation: number) => {
  const named = Buffer.concat([Buffer.from([2]), keyId, Buffer.alloc(4), randomBytes(40)]);
  named.writeUInt32BE(generation, 17);
  return named;
};
const [hash, drop, encrypt]: ColumnRule[] = [
  { classification: 'person.id', action: 'hash' },
  { classification: 'person.id', action: 'drop' },
  { classification: 'person.contact', action: 'encrypt' },
] as ColumnRule[];
const hidden: ColumnRule = { classification: 'person.id', action: 'keep', searchable: false };
const note: TestColumn = { name: 'note', type: 'text', action: encrypt! };

/** The table's columns beside its key, and what stands in the rows of the one person and of another. */
const cases: readonly [
  string,
  readonly TestColumn[],
  () => Record<string, unknown>,
  () => Record<string, unknown>,
][] = [
  ['text', [{ name: 'whose', type: 'text' }], () => ({ whose: 'c-7' }), () => ({ whose: 'c-70' })],
  ['int', [{ name: 'whose', type: 'int4' }], () => ({ whose: 7 }), () => ({ whose: 70 })],
  ['long', [{ name: 'whose', type: 'int8' }], () => ({ whose: 7n }), () => ({ whose: 9007199254740993n })],
  [
    'uuid',
    [{ name: 'whose', type: 'uuid' }],
    () => ({ whose: '6f9619ff-8b86-4011-b42d-00c04fc964ff' }),
    () => ({ whose: '6f9619ff-8b86-4011-b42d-00c04fc964fe' }),
  ],
  [
    'pseudonym',
    [{ name: 'whose', type: 'int4', action: hash! }],
    () => ({ whose: 'cHNldWRvbnlt' }),
    () => ({ whose: 'YW5vdGhlcg' }),
  ],
  [
    'ciphertexts',
    [{ name: 'whose', type: 'int4', action: drop! }, note],
    () => ({ note: ciphertext(hers, 3) }),
    () => ({ note: ciphertext(his, 3) }),
  ],
  // The column is there, and no search finds it.
  [
    'hidden_id',
    [{ name: 'whose', type: 'int4', action: hidden }, note],
    () => ({ whose: 7, note: ciphertext(hers, 1) }),
    () => ({ whose: 70, note: ciphertext(his, 1) }),
  ],
];
// Some that no column of numbers can have.
const marks: SubjectMarks = {
  values: [
    '7',
    'c-7',
    '6f9619ff-8b86-4011-b42d-00c04fc964ff',
    'cHNldWRvbnlt',
    '99999999999999999999',
    '-',
    '',
  ],
  prefixes: [ciphertextPrefix(hers)],
};

describe.each(stores)('rows of a person in %s', (_name, open) => {
  let store: Store;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(async () => {
    await store?.close();
    await store?.harness.end();
  });

  // Elasticsearch keeps what is deleted for half a minute: all wait for that together.
  it.concurrent.each(cases)(
    'are found by their %s, under whatever key',
    async (kind, columns, theirs, others) => {
      const dataset = testDataset(
        `public.by_${kind}`,
        ['id'],
        [{ name: 'id', type: 'int4' }, ...columns],
        'whose',
      );
      for (const resource of store.harness.resources([dataset])) await resource.apply([]);
      const row = (id: number, values: Record<string, unknown> | null) =>
        change(dataset, [String(id)], at(id), values && { id, ...values });
      await store.harness.sink.write(dataset, [
        row(1, theirs()),
        row(2, others()),
        row(3, theirs()),
        row(4, others()),
        row(5, null),
        // Of nobody.
        row(6, Object.fromEntries(columns.map(({ name }) => [name, null]))),
      ]);
      expect((await store.read(dataset, marks)).toSorted()).toEqual(['1', '3']);
      const [found, ...more] = await store.remove(dataset, marks);
      expect(more).toEqual([]);
      expect(found).toMatchObject({ found: 2, records: 3, controls: 2 });
      expect([...(await store.harness.read(dataset)).keys()].toSorted()).toEqual(['2', '4', '6']);
      expect(await store.remove(dataset, marks)).toMatchObject([{ found: 0, records: 3, controls: 2 }]);
      expect(await store.read(dataset, marks)).toEqual([]);
    },
  );

  it('are looked for in vain where nothing tells whose a row is: no word of it counts', async () => {
    const dataset = testDataset(
      'public.by_nothing',
      ['id'],
      [
        { name: 'id', type: 'int4' },
        { name: 'whose', type: 'int4', action: drop! },
      ],
      'whose',
    );
    for (const resource of store.harness.resources([dataset])) await resource.apply([]);
    await store.harness.sink.write(dataset, [change(dataset, ['1'], at(1), { id: 1 })]);
    expect(await store.remove(dataset, marks)).toMatchObject([{ found: 0, records: 1, controls: 0 }]);
    expect(await store.read(dataset, marks)).toEqual([]);
  });
});
