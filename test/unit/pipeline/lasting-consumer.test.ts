import { EventEmitter } from 'node:events';
import type { Consumer } from 'kafkajs';
import { expect, it, vi } from 'vitest';
import { startLasting } from '../../../pipeline/lasting-consumer.ts';
import type { Log } from '../../../pipeline/log.ts';

/** As far as it is used: events, by kafkajs' names. */
class Ended extends EventEmitter {
  readonly events = { CRASH: 'consumer.crash' };
  crash(restart: boolean): void {
    const error = Object.assign(new Error('canary 4111-1111'), { name: 'TypeError' });
    this.emit('consumer.crash', { payload: { error, groupId: 'g', restart } });
  }
}

function logged(): { log: Log; lines: unknown[] } {
  const lines: unknown[] = [];
  const note = (...line: unknown[]) => void lines.push(line);
  return { lines, log: { debug: note, info: note, warn: note, error: note } };
}

it('a consumer that its client has given up is started again, until it starts', async () => {
  const consumer = new Ended();
  const stopping = new AbortController();
  const { log, lines } = logged();
  let failures = 0;
  const start = vi.fn(async () => {
    if (failures-- > 0) throw new Error('canary: away');
  });
  await startLasting(consumer as unknown as Consumer, start, { log, signal: stopping.signal });
  expect(start).toHaveBeenCalledTimes(1);
  failures = 2;
  consumer.crash(false);
  await vi.waitFor(() => expect(start).toHaveBeenCalledTimes(4), 10_000);
  // This one the client starts again by itself.
  consumer.crash(true);
  stopping.abort();
  consumer.crash(false);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(start).toHaveBeenCalledTimes(4);
  expect(JSON.stringify(lines)).toContain('TypeError');
  expect(JSON.stringify(lines)).not.toContain('canary');
});

it('one that does not start at all says so to whoever started it', async () => {
  const { log } = logged();
  const start = () => Promise.reject(new Error('no'));
  const signal = new AbortController().signal;
  await expect(startLasting(new Ended() as unknown as Consumer, start, { log, signal })).rejects.toThrow(
    'no',
  );
});
