import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoreGeneration } from '../../pipeline/store-generation.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { at, change } from './sink-datasets.ts';
import { allChanges, failure, type SinkHarness, withColumns, written } from './sink-suite.ts';

/** How every store builds an index or a table beside another, checked against the real server. */
export function registerRebuildTests(name: string, makeHarness: () => Promise<SinkHarness>): void {
  describe(`${name} beside another`, () => {
    let harness: SinkHarness;

    beforeAll(async () => {
      harness = await makeHarness();
    });
    afterAll(async () => {
      await harness?.end();
    });

    const apply = async (dataset: Dataset, target?: StoreGeneration): Promise<Dataset> => {
      for (const resource of harness.resources([dataset], target)) await resource.apply([]);
      return dataset;
    };
    const names = async (dataset: Dataset): Promise<Record<string, unknown>> =>
      Object.fromEntries([...(await harness.read(dataset))].map(([id, row]) => [id, row['name']]));

    it('builds the next generation beside, unseen by readers, until it is switched to', async () => {
      const before = await apply(withColumns('rebuilt', [{ name: 'extra', type: 'int4' }]));
      await harness.sink.write(before, [
        change(before, ['1'], at(1), { id: 1, name: 'old', n: 1, extra: 7 }),
      ]);
      const after = withColumns('rebuilt', [{ name: 'extra', type: 'text' }]);
      expect(await harness.misfits(before)).toEqual([]);
      expect(await harness.misfits(after)).toMatchObject([expect.stringContaining('extra')]);

      const told = await allChanges(harness.resources([after], { generation: 1, mayRebuild: true }));
      expect(told).toMatchObject([
        { action: 'refuse', fix: expect.stringContaining('lethe apply --rebuild') },
      ]);

      const beside: StoreGeneration = { generation: 2, beside: 1, mayRebuild: true };
      const planned = await allChanges(harness.resources([after], beside));
      expect(planned).toMatchObject([{ action: 'create', summary: expect.stringMatching(/beside.*extra/) }]);
      await apply(after, beside);
      expect(await allChanges(harness.resources([after], beside))).toEqual([]);

      const put = change(after, ['1'], at(2), { id: 1, name: 'new', n: 1, extra: 'x' });
      expect(await harness.sink.write(after, [put], 2)).toEqual(written(1));
      expect(await names(before)).toEqual({ 1: 'old' });

      // As if it were cut short after every one of its steps.
      const steps = await harness.switchTo(after, 2);
      for (let i = 0; i < steps.length; i++) {
        await (await harness.switchTo(after, 2))[0]!.run!();
        expect(await names(after)).toEqual({ 1: 'new' });
      }
      expect(await harness.switchTo(after, 2)).toEqual([]);
      const recorded: StoreGeneration = { generation: 2, mayRebuild: false };
      expect(await allChanges(harness.resources([after], recorded))).toEqual([]);
      expect((await failure(harness.sink.write(after, [put]))).code).toBe('SERVER_FAILED');
    });

    it('makes anew what was built beside for a contract that was never recorded, and nothing that readers see', async () => {
      const before = await apply(withColumns('abandoned', [{ name: 'extra', type: 'int4' }]));
      await harness.sink.write(before, [
        change(before, ['1'], at(1), { id: 1, name: 'old', n: 1, extra: 7 }),
      ]);
      const beside: StoreGeneration = { generation: 2, beside: 1, mayRebuild: true };
      const first = withColumns('abandoned', [{ name: 'extra', type: 'text' }]);
      await apply(first, beside);
      const second = withColumns('abandoned', [{ name: 'extra', type: 'bool' }]);
      expect(await allChanges(harness.resources([second], beside))).toMatchObject([
        { action: 'create', summary: expect.stringContaining('made anew') },
      ]);
      await apply(second, beside);
      expect(await allChanges(harness.resources([second], beside))).toEqual([]);
      expect(await names(before)).toEqual({ 1: 'old' });

      for (const step of await harness.switchTo(second, 2)) await step.run!();
      const seen = await allChanges(harness.resources([first], beside));
      expect(seen).toMatchObject([{ action: 'refuse' }]);
    });
  });
}
