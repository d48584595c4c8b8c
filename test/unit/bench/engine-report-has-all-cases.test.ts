import { describe, expect, it } from 'vitest';
import { measureEngine } from '../../../bench/engine.ts';
import { contestants, engineReportText } from '../../../bench/engine-report.ts';

describe('bench engine', { timeout: 60_000 }, () => {
  it('reports every contract at every width, and cold and warm keys of many persons', async () => {
    const found = await measureEngine({ rounds: 1, events: 20, subjects: 40, sampleMs: 0 });
    const names = found.cases.map((c) => [c.columns, c.contract, c.subjects, c.keys].join(' ').trim());
    const contracts = [5, 25, 100].flatMap((n) => [`${n} drop-only`, `${n} hash`, `${n} encrypt`]);
    const persons = [5, 25, 100].flatMap((n) => [`${n} encrypt 40 cold`, `${n} encrypt 40 warm`]);
    expect(names).toEqual([...contracts, ...persons]);
    for (const { contract, ...rates } of found.cases) {
      for (const contestant of contestants) {
        const none = contract === 'drop-only' && contestant === 'cipherOnly';
        if (none) expect(rates[contestant]).toBeNull();
        else expect(rates[contestant]).toBeGreaterThan(0);
      }
    }
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
    expect(engineReportText(found).split('\n').length).toBeGreaterThan(found.cases.length);
  });
});
