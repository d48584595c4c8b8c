import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CleanChange, Sink, Verdict } from '../../pipeline/sink.ts';
import type { Step } from '../../pipeline/planned-steps.ts';
import type { PlannedChange, Resource } from '../../pipeline/resource.ts';
import type { StoreGeneration } from '../../pipeline/store-generation.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { type ErrorCode, isRetriable, LetheError } from '../../schemas/errors.ts';
import { at, change, everyKind, testDataset } from './sink-datasets.ts';
import { expected, extremeRows, found } from './sink-values.ts';

/** A sink that writes to the first generation unless told otherwise. */
export interface TestSink {
  write(dataset: Dataset, changes: readonly CleanChange[], generation?: number): Promise<Verdict[]>;
}

export function testSink(sink: Sink): TestSink {
  return { write: (dataset, changes, generation = 1) => sink.write(dataset, changes, generation) };
}

/** Where a contract that was never applied before goes, and one that is applied as it was. */
export const inPlace: StoreGeneration = { generation: 1, mayRebuild: false };

/** A store as the suite needs it: the sink and resources under test, and a reader that shares no code with them. */
export interface SinkHarness {
  readonly sink: TestSink;
  /** `target`: where the rows go; to the first generation if left out. */
  resources(datasets: readonly Dataset[], target?: StoreGeneration): Resource[];
  /** Why the first generation cannot take the dataset in place. */
  misfits(dataset: Dataset): Promise<string[]>;
  /** What makes this generation the one that readers see. */
  switchTo(dataset: Dataset, generation: number): Promise<Step[]>;
  /** What readers see now: rows by the text of their column `id` (or the first key column). */
  read(dataset: Dataset): Promise<Map<string, Readonly<Record<string, unknown>>>>;
  /** Makes the store forget all it may forget about deletes: by time, restart or merge. Ends when it has. */
  forgetDeletes(dataset: Dataset): Promise<void>;
  /** Values of {@link everyKind} that no form exists for in this store, each with the code it must get. */
  readonly unfit: readonly { readonly row: Readonly<Record<string, unknown>>; readonly code: ErrorCode }[];
  /** From now on the server itself refuses rows of this dataset whose `n` is {@link refusedNumber}. */
  refuseNumber(dataset: Dataset): Promise<void>;
  /** A sink of the same kind whose server does not answer. */
  readonly unreachable: TestSink;
  /** A table of the store's own, not made by Lethe, at the place of the dataset's. */
  makeForeign(dataset: Dataset): Promise<void>;
  /** Takes from what was made for the dataset the mark that it is Lethe's, and nothing else. */
  unmark(dataset: Dataset): Promise<void>;
  /** Removes everything and closes the clients. */
  end(): Promise<void>;
}

export const refusedNumber = 1_000_000_007;

/** Planted in rows; no error and no verdict may hold it. */
const canary = 'canary-7f3c9d51-do-not-print';

/** The promises that every sink keeps, checked against the real server. */
export function registerSinkTests(name: string, makeHarness: () => Promise<SinkHarness>): void {
  describe(name, () => {
    let harness: SinkHarness;
    const small = (table: string): Dataset =>
      testDataset(
        `public.${table}`,
        ['id'],
        [
          { name: 'id', type: 'int4' },
          { name: 'name', type: 'text' },
          { name: 'n', type: 'int4' },
        ],
      );

    beforeAll(async () => {
      harness = await makeHarness();
    });
    afterAll(async () => {
      await harness?.end();
    });

    const applied = async (dataset: Dataset): Promise<Dataset> => {
      for (const resource of harness.resources([dataset])) await resource.apply(await resource.diff());
      return dataset;
    };
    const write = async (dataset: Dataset, ...changes: CleanChange[]): Promise<Verdict[]> =>
      await harness.sink.write(dataset, changes);
    const names = async (dataset: Dataset): Promise<Record<string, unknown>> =>
      Object.fromEntries([...(await harness.read(dataset))].map(([id, row]) => [id, row['name']]));
    const put = (dataset: Dataset, id: number, text: string, tx: number, n = 0): CleanChange =>
      change(dataset, [String(id)], at(tx, n), { id, name: text, n: id });
    const remove = (dataset: Dataset, id: number, tx: number, n = 0): CleanChange =>
      change(dataset, [String(id)], at(tx, n), null);

    it('plans what is missing, applies it, and then has nothing to do', async () => {
      const datasets = [small('planned'), everyKind('sales.planned')];
      const before = await allChanges(harness.resources(datasets));
      expect(before.filter((planned) => planned.action === 'create').length).toBeGreaterThanOrEqual(2);
      for (const resource of harness.resources(datasets)) await resource.apply(await resource.diff());
      expect(await allChanges(harness.resources(datasets))).toEqual([]);
    });

    it('inserts and updates', async () => {
      const dataset = await applied(small('updated'));
      expect(await write(dataset, put(dataset, 1, 'a', 1), put(dataset, 2, 'b', 2))).toEqual(written(2));
      expect(await write(dataset, put(dataset, 1, 'a2', 3))).toEqual(written(1));
      expect(await names(dataset)).toEqual({ 1: 'a2', 2: 'b' });
    });

    it('takes a later change of the same transaction, also in a write of its own', async () => {
      const dataset = await applied(small('one_transaction'));
      for (let n = 0; n < 3; n++)
        expect(await write(dataset, put(dataset, 1, `step ${n}`, 5, n))).toEqual(written(1));
      expect(await names(dataset)).toEqual({ 1: 'step 2' });
      await write(dataset, remove(dataset, 1, 5, 3));
      expect(await names(dataset)).toEqual({});
      // A sink that slept with the first half of the transaction wakes.
      await write(dataset, put(dataset, 1, 'step 1', 5, 1));
      expect(await names(dataset)).toEqual({});
    });

    it('keeps the newer row when an older write comes later', async () => {
      const dataset = await applied(small('stale'));
      await write(dataset, put(dataset, 1, 'new', 9));
      expect(succeeded(await write(dataset, put(dataset, 1, 'old', 8)))).toBe(true);
      expect(await names(dataset)).toEqual({ 1: 'new' });
    });

    it('takes the same changes again without harm', async () => {
      const dataset = await applied(small('repeated'));
      const batch = [
        put(dataset, 1, 'a', 1),
        put(dataset, 2, 'b', 2),
        remove(dataset, 2, 3),
        put(dataset, 1, 'c', 4),
      ];
      for (let i = 0; i < 3; i++) expect(succeeded(await write(dataset, ...batch))).toBe(true);
      expect(await names(dataset)).toEqual({ 1: 'c' });
    });

    it('settles several changes of one key within a batch by their version', async () => {
      const dataset = await applied(small('batched'));
      const verdicts = await write(
        dataset,
        put(dataset, 1, 'first', 1, 0),
        put(dataset, 1, 'second', 1, 1),
        put(dataset, 2, 'gone', 1, 2),
        remove(dataset, 2, 1, 3),
        remove(dataset, 3, 2, 0),
        put(dataset, 3, 'back', 2, 1),
        put(dataset, 1, 'third', 1, 4),
      );
      expect(succeeded(verdicts)).toBe(true);
      expect(await names(dataset)).toEqual({ 1: 'third', 3: 'back' });
    });

    it('hides a deleted row from readers, and a row never seen too', async () => {
      const dataset = await applied(small('deleted'));
      await write(dataset, put(dataset, 1, 'a', 1), put(dataset, 2, 'b', 1, 1));
      expect(await write(dataset, remove(dataset, 1, 2), remove(dataset, 77, 2, 1))).toEqual(written(2));
      expect(await names(dataset)).toEqual({ 2: 'b' });
    });

    it('does not let an older write bring a deleted row back, also when the store has forgotten', async () => {
      const dataset = await applied(small('resurrected'));
      await write(dataset, put(dataset, 1, 'a', 1), put(dataset, 2, 'b', 1, 1));
      await write(dataset, remove(dataset, 1, 9), remove(dataset, 3, 9, 1));
      expect(succeeded(await write(dataset, put(dataset, 1, 'late', 5)))).toBe(true);
      expect(await names(dataset)).toEqual({ 2: 'b' });
      await harness.forgetDeletes(dataset);
      expect(
        succeeded(await write(dataset, put(dataset, 1, 'later', 8), put(dataset, 3, 'late', 8, 1))),
      ).toBe(true);
      await harness.forgetDeletes(dataset);
      expect(await names(dataset)).toEqual({ 2: 'b' });
    });

    it('takes a row that is inserted again after its delete', async () => {
      const dataset = await applied(small('reinserted'));
      await write(dataset, put(dataset, 1, 'a', 1));
      await write(dataset, remove(dataset, 1, 2));
      expect(await write(dataset, put(dataset, 1, 'again', 3))).toEqual(written(1));
      expect(await names(dataset)).toEqual({ 1: 'again' });
    });

    it('rejects a value without a form alone among good ones', async () => {
      const dataset = await applied(everyKind('public.unfit'));
      for (const { row, code } of harness.unfit) {
        const verdicts = await write(
          dataset,
          change(dataset, ['1'], at(1), { ...extremeRows[2], id: 1n }),
          change(dataset, ['2'], at(2), { ...extremeRows[2], id: 2n, ...row }),
          change(dataset, ['3'], at(3), { ...extremeRows[2], id: 3n }),
        );
        expect(verdicts.map((verdict) => verdict.outcome)).not.toContain('retriable');
        expect(verdicts[1]).toEqual({ outcome: 'rejected', code });
        expect([...(await harness.read(dataset)).keys()].sort()).toEqual(['1', '3']);
      }
    });

    it('finds the rows that the server refuses among good ones, and falls back to the change before', async () => {
      const dataset = await applied(small('refused'));
      await harness.refuseNumber(dataset);
      const batch = Array.from({ length: 50 }, (_, i) => put(dataset, i, `${canary}-${i}`, i + 1));
      const bad = (id: number): CleanChange =>
        change(dataset, [String(id)], at(id + 100), { id, name: canary, n: refusedNumber });
      const verdicts = await write(dataset, ...batch, bad(7), bad(31), bad(500));
      expect(verdicts.slice(0, 50).every((verdict) => verdict.outcome === 'written')).toBe(true);
      expect(verdicts.slice(50)).toEqual(
        Array.from({ length: 3 }, () => ({ outcome: 'rejected', code: 'RECORD_REJECTED' })),
      );
      const seen = await names(dataset);
      expect(Object.keys(seen)).toHaveLength(50);
      expect(seen['7']).toBe(`${canary}-7`);
    });

    it('gives back every kind of value as it was, at its extremes', async () => {
      const dataset = await applied(everyKind('public.extremes'));
      const changes = extremeRows.map((row, id) =>
        change(dataset, [String(id)], at(id), { ...row, id: BigInt(id) }),
      );
      expect(await write(dataset, ...changes)).toEqual(written(extremeRows.length));
      const rows = await harness.read(dataset);
      for (const [id, row] of extremeRows.entries()) {
        const actual = rows.get(String(id))!;
        for (const column of dataset.columns.filter(({ name }) => name !== 'id')) {
          expect([column.name, found(column, actual[column.name])]).toEqual([
            column.name,
            expected(column, row[column.name]),
          ]);
        }
      }
    });

    it('tells composite keys apart, takes empty and long ones, and deletes by them', async () => {
      const dataset = await applied(
        testDataset(
          'public.composite',
          ['tenant', 'nr', 'day'],
          [
            { name: 'name', type: 'text' },
            { name: 'nr', type: 'int8' },
            { name: 'tenant', type: 'text' },
            { name: 'day', type: 'date' },
          ],
        ),
      );
      const tenants = ['a|b', 'a', '', '%00', '%', 'é'.repeat(300), `${'é'.repeat(299)}e`, 'tab\t'];
      const day = 20_000;
      const keyOf = (tenant: string, nr: bigint): string[] => [tenant, String(nr), '2024-10-04'];
      const rows = tenants.map((tenant, i) =>
        change(dataset, keyOf(tenant, -5n), at(i), { tenant, nr: -5n, day, name: `row ${i}` }),
      );
      expect(await write(dataset, ...rows)).toEqual(written(tenants.length));
      expect(await names(dataset)).toEqual(
        Object.fromEntries(tenants.map((tenant, i) => [tenant, `row ${i}`])),
      );
      await write(dataset, change(dataset, keyOf('a|b', -5n), at(20), null));
      await write(dataset, change(dataset, keyOf(tenants[5]!, -5n), at(21), null));
      await write(dataset, change(dataset, keyOf('', -6n), at(22), null));
      const left = tenants.flatMap((tenant, i) => (i === 0 || i === 5 ? [] : [[tenant, `row ${i}`]]));
      expect(await names(dataset)).toEqual(Object.fromEntries(left));
    });

    it('says that a server does not answer, retriably and without a value', async () => {
      const dataset = small('unreachable');
      const error = await failure(harness.unreachable.write(dataset, [put(dataset, 1, canary, 1)]));
      expect(error.code).toBe('UNREACHABLE');
      expect(isRetriable(error.code)).toBe(true);
      expectNoCanary(error);
    });

    it('stops, and gives nothing to the dead letters, where the plan was not applied', async () => {
      const missing = small('never_applied');
      const error = await failure(write(missing, put(missing, 1, canary, 1)));
      expect([error.code, error.fix]).toEqual(['SERVER_FAILED', 'Run `lethe apply`.']);
      expectNoCanary(error);

      await applied(small('widened'));
      const wider = withColumns('widened', [{ name: 'extra', type: 'text' }]);
      const lacking = await failure(
        write(wider, change(wider, ['1'], at(1), { id: 1, name: canary, n: 1, extra: canary })),
      );
      expect(lacking.code).toBe('SERVER_FAILED');
      expectNoCanary(lacking);
    });

    it('adds a new column in place', async () => {
      const dataset = await applied(small('grown'));
      await write(dataset, put(dataset, 1, 'a', 1));
      const wider = withColumns('grown', [{ name: 'extra', type: 'text' }]);
      const planned = await allChanges(harness.resources([wider]));
      expect(planned.every(({ action }) => action === 'update')).toBe(true);
      await applied(wider);
      expect(await allChanges(harness.resources([wider]))).toEqual([]);
      await write(wider, change(wider, ['2'], at(2), { id: 2, name: 'b', n: 2, extra: 'x' }));
      const rows = await harness.read(wider);
      expect([rows.get('1')!['extra'] ?? null, rows.get('2')!['extra']]).toEqual([null, 'x']);
    });

    it('refuses to change a type or to forget a column, and says the way out', async () => {
      await applied(withColumns('shrunk', [{ name: 'extra', type: 'int4' }]));
      for (const dataset of [small('shrunk'), withColumns('shrunk', [{ name: 'extra', type: 'text' }])]) {
        const [refused, ...others] = (await allChanges(harness.resources([dataset]))).filter(
          ({ action }) => action === 'refuse',
        );
        expect(refused?.summary).toContain('extra');
        for (const way of ['lethe rebuild', 'lethe apply']) expect(refused?.fix).toContain(way);
        expect(others).toEqual([]);
        const error = await failure(applied(dataset));
        expect(error.code).toBe('PLAN_REFUSED');
      }
    });

    it('refuses a table or index of that name that it has not made, and leaves it alone', async () => {
      const dataset = small('foreign');
      await harness.makeForeign(dataset);
      const planned = await allChanges(harness.resources([dataset]));
      expect(planned.some(({ action, fix }) => action === 'refuse' && fix !== undefined)).toBe(true);
      expect((await failure(applied(dataset))).code).toBe('PLAN_REFUSED');

      const unmarked = await applied(small('unmarked'));
      await harness.unmark(unmarked);
      const [refused] = await allChanges(harness.resources([unmarked]));
      expect(refused?.action).toBe('refuse');
      expect(refused?.summary).toContain('was not made by this pipeline');
    });
  });
}

export function withColumns(table: string, more: { name: string; type: string }[]): Dataset {
  return testDataset(
    `public.${table}`,
    ['id'],
    [{ name: 'id', type: 'int4' }, { name: 'name', type: 'text' }, { name: 'n', type: 'int4' }, ...more],
  );
}

export async function allChanges(resources: readonly Resource[]): Promise<PlannedChange[]> {
  const changes: PlannedChange[] = [];
  for (const resource of resources) changes.push(...(await resource.diff()));
  return changes;
}

export function written(count: number): Verdict[] {
  return Array.from({ length: count }, () => ({ outcome: 'written' }));
}

function succeeded(verdicts: readonly Verdict[]): boolean {
  return verdicts.every(({ outcome }) => outcome === 'written' || outcome === 'stale');
}

export async function failure(promise: Promise<unknown>): Promise<LetheError> {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(LetheError);
    return error as LetheError;
  }
  throw new Error('it did not fail');
}

/** Looks at everything a logger could print of an error, its cause and hidden properties included. */
export function expectNoCanary(error: LetheError): void {
  const everything = inspect(error, {
    depth: 10,
    showHidden: true,
    maxStringLength: null,
    maxArrayLength: null,
  });
  expect(everything.includes(canary)).toBe(false);
}
