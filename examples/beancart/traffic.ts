import { setTimeout as sleep } from 'node:timers/promises';
import { Lane } from './lane.ts';
import { Pacer, Stopped } from './pacer.ts';
import { deriveSeed, Random } from './random.ts';
import { Session, type StatementFailed } from './session.ts';
import { stories } from './stories/deck.ts';
import { type TrafficReport, TrafficTally } from './traffic-report.ts';

const maxLanes = 8;
const transactionsPerSecondAndLane = 40;
const customersPerLane = 5_000;
const stopTimeoutMs = 9_000;

export interface TrafficOptions {
  readonly seed: number;
  /** A target; what is reached shows in the report. */
  readonly transactionsPerSecond: number;
  /** Told of each statement that Postgres refused. */
  readonly onError?: (error: StatementFailed) => void;
}

/** Traffic under way. */
export interface Traffic {
  /** Ends it after the transactions under way, within 10 s; throws what was wrong with the traffic itself, if anything. */
  stop(): Promise<TrafficReport>;
  /** What it did so far. */
  report(): TrafficReport;
}

/**
 * Live traffic on a database that `loadSample` filled. It runs on up to eight lanes, each with customers and
 * randomness of its own: what a lane does is given by the seed and the
 * rows it finds, how the lanes mix is not. Lost connections are
 * opened again for as long as it takes.
 */
export function startTraffic(connectionString: string, options: TrafficOptions): Traffic {
  const { seed, transactionsPerSecond } = options;
  const tally = new TrafficTally();
  const pacer = new Pacer(transactionsPerSecond);
  const count = Math.max(
    2,
    Math.min(maxLanes, Math.ceil(transactionsPerSecond / transactionsPerSecondAndLane)),
  );
  const sessions: Session[] = [];
  const session = (): Session => {
    const opened = new Session(connectionString, tally);
    sessions.push(opened);
    return opened;
  };
  const running = Array.from({ length: count }, (_, number) => {
    const lane = new Lane({
      random: new Random(deriveSeed(seed, number + 1)),
      tally,
      pacer,
      sessions: [session(), session()],
      onError: options.onError ?? (() => undefined),
    });
    return runLane(lane, { number, count, seed, stopped: pacer.stopped });
  });
  // Kept for stop(); without a handler by then it would count as unhandled.
  const ended = Promise.all(running);
  ended.catch(() => pacer.stop());
  return {
    report: () => tally.report(),
    async stop() {
      pacer.stop();
      try {
        await Promise.race([ended, sleep(stopTimeoutMs, undefined, { ref: false })]);
      } finally {
        await Promise.all(sessions.map((s) => s.end()));
      }
      return tally.report();
    },
  };
}

interface LanePlace {
  readonly number: number;
  readonly count: number;
  readonly seed: number;
  readonly stopped: AbortSignal;
}

async function runLane(lane: Lane, { number, count, seed, stopped }: LanePlace): Promise<void> {
  const deck = stories(new Random(deriveSeed(seed, 100 + number)));
  try {
    while (!stopped.aborted) {
      const story = lane.customers.length === 0 ? findCustomers(number, count) : deck.next().value;
      await lane.tell(story);
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  }
}

function findCustomers(number: number, count: number) {
  return async (lane: Lane): Promise<void> => {
    await lane.transaction('single', async (tx) => {
      const rows = await tx.read('SELECT id::text FROM customers WHERE id % $1 = $2 ORDER BY id LIMIT $3', [
        count,
        number,
        customersPerLane,
      ]);
      const run = BigInt(await tx.pick('SELECT pg_current_xact_id()::text'));
      lane.begin(
        run,
        rows.map((row) => String(row['id'])),
      );
    });
  };
}
