import { describe, expect, it } from 'vitest';
import { BackgroundRunner } from '../../../cli/erase/background-runner.ts';
import { LetheError } from '../../../schemas/errors.ts';

/** Runs that are let go on one by one. */
function gates() {
  const waiting: ((error?: Error) => void)[] = [];
  let begun = 0;
  return {
    begun: () => begun,
    run: () =>
      new Promise<void>((resolve, reject) => {
        begun++;
        waiting.push((error) => (error ? reject(error) : resolve()));
      }),
    async pass(error?: Error) {
      waiting.shift()!(error);
      for (let i = 0; i < 10; i++) await Promise.resolve();
    },
  };
}

describe('requests in the background', () => {
  it('are carried out one run at a time, and what comes meanwhile by one more', async () => {
    const gate = gates();
    const runner = new BackgroundRunner({ run: gate.run, say: () => {} });
    for (let i = 0; i < 5; i++) runner.wake();
    expect(gate.begun()).toBe(1);
    runner.wake();
    await gate.pass();
    expect(gate.begun()).toBe(2);
    await gate.pass();
    expect(gate.begun()).toBe(2);
    await runner.close();
  });

  it('that fail are told without a value, and tried again', async () => {
    const gate = gates();
    const said: string[] = [];
    const runner = new BackgroundRunner({ run: gate.run, say: (text) => said.push(text) });
    runner.wake();
    await gate.pass(new LetheError('UNREACHABLE', 'Kafka does not answer'));
    runner.wake();
    expect(gate.begun()).toBe(2);
    await gate.pass(new Error('jane.roe@example.com'));
    expect(said).toHaveLength(2);
    expect(said.join()).not.toContain('jane');
    await runner.close();
  });

  it('are waited for at the end, and none is begun after', async () => {
    const gate = gates();
    const runner = new BackgroundRunner({ run: gate.run, say: () => {} });
    runner.wake();
    runner.wake();
    const closed = runner.close();
    await gate.pass();
    await closed;
    runner.wake();
    expect(gate.begun()).toBe(1);
  });
});
