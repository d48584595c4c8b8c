import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer } from 'kafkajs';
import { safeReason } from '../schemas/errors.ts';
import type { Log } from './log.ts';
import { backoffMs } from './retry.ts';

/**
 * Starts a consumer, and starts it again whenever it ends. kafkajs ends one for good at any error that it does not call retriable, a fault of
 * its own or of a handler among them; the process would then live on and do nothing.
 */
export async function startLasting(
  consumer: Consumer,
  start: () => Promise<void>,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  const again = async (): Promise<void> => {
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await sleep(backoffMs(attempt, Math.random()), undefined, { signal });
        await start();
        return;
      } catch (error) {
        if (!signal.aborted) log.warn({ reason: safeReason(error) }, 'the consumer does not start yet');
      }
    }
  };
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    // What the client starts again by itself it does ten times a second while Kafka is away, which is told as an outage.
    if (signal.aborted || payload.restart) return;
    log.warn(
      { group: payload.groupId, reason: safeReason(payload.error) },
      'the consumer ended; it starts again',
    );
    void again();
  });
  await start();
}
