import { describe, expect, it } from 'vitest';
import { Circuit } from '../../../pipeline/circuit.ts';
import type { Patience } from '../../../pipeline/retry.ts';
import { untilItWorks } from '../../../pipeline/retry.ts';
import { LetheError } from '../../../schemas/errors.ts';
import { waitUntil } from '../../support/live-pipeline.ts';

const outages = { failed: () => undefined, succeeded: () => undefined } as never;

function patience(signal = new AbortController().signal, whileWaiting?: () => Promise<void>): Patience {
  return { outages, signal, random: () => 0, ...(whileWaiting ? { whileWaiting } : {}) };
}

const away = (): LetheError => new LetheError('UNREACHABLE', 'nobody answers');

describe('a circuit', () => {
  it('lets one caller at a time try a server that is away, and everybody as soon as it is back', async () => {
    const circuit = new Circuit();
    let calls = 0;
    let underWay = 0;
    let most = 0;
    let back = false;
    const work = async (): Promise<string> => {
      calls++;
      if (circuit.isOpen) most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      if (underWay > 0) underWay--;
      if (!back) throw away();
      return 'written';
    };
    const partitions = Array.from({ length: 60 }, () =>
      untilItWorks('store', () => circuit.run(work, patience()), patience()),
    );
    // All knock once before they know; from then on it is one after the other.
    await waitUntil(() => calls >= 64, 60_000, 'some probes');
    expect(most).toBe(1);
    expect(circuit.isOpen).toBe(true);
    back = true;
    expect(await Promise.all(partitions)).toEqual(Array(60).fill('written'));
    expect(circuit.isOpen).toBe(false);
    // 60 at first, some probes, and one each at the end.
    expect(calls).toBeLessThan(60 + 60 + 20);
  });

  it('is not opened by a server that answers with an error', async () => {
    const circuit = new Circuit();
    const refuses = async (): Promise<never> => {
      throw new LetheError('SERVER_FAILED', 'no');
    };
    await expect(circuit.run(refuses, patience())).rejects.toThrow('no');
    expect(circuit.isOpen).toBe(false);
  });

  it('keeps whoever waits in its group, and lets him go when he is stopped', async () => {
    const circuit = new Circuit();
    const fails = async (): Promise<never> => {
      throw away();
    };
    await expect(circuit.run(fails, patience())).rejects.toThrow('nobody');
    let probes = 0;
    const never = (): Promise<never> => {
      probes++;
      return new Promise<never>(() => undefined);
    };
    void circuit.run(never, patience());
    await waitUntil(() => probes === 1, 60_000, 'a probe that gets no answer');
    const stopping = new AbortController();
    let beats = 0;
    const waiting = circuit.run(
      fails,
      patience(stopping.signal, async () => {
        if (++beats === 3) stopping.abort(new Error('stopped'));
      }),
    );
    await expect(waiting).rejects.toThrow('stopped');
    expect(beats).toBe(3);
  });
});
