import { beforeEach, expect, test } from 'vitest';
import type { ConnectorStatus } from '../../../connectors/connect/connect-client.ts';
import { FailedTasks, restartWaitMs } from '../../../connectors/connect/failed-tasks.ts';
import type { Log } from '../../../pipeline/log.ts';
import { Outages } from '../../../pipeline/outage.ts';
import { LetheError } from '../../../schemas/errors.ts';

const canary = 'anna@mail.example';
const running: ConnectorStatus = { connector: { state: 'RUNNING' }, tasks: [{ state: 'RUNNING' }] };
const trace = `org.apache.kafka.connect.errors.ConnectException: near ${canary}\n\tat io.debezium.Task.run(Task.java:1)`;
const failed: ConnectorStatus = { connector: { state: 'RUNNING' }, tasks: [{ state: 'FAILED', trace }] };

let status: ConnectorStatus | undefined;
let isAway: boolean;
let nowMs: number;
let restarts: number;
let lines: string[];
let tasks: FailedTasks;

beforeEach(() => {
  [status, isAway, nowMs, restarts, lines] = [running, false, 0, 0, []];
  const say =
    (level: string) =>
    (what: object, text: string): void =>
      void lines.push(`${level} ${JSON.stringify(what)} ${text}`);
  const log = { info: say('info'), warn: say('warn'), error: say('error') } as unknown as Log;
  tasks = new FailedTasks({
    connect: {
      status: async () => {
        if (isAway) throw new LetheError('UNREACHABLE', 'Kafka Connect does not answer');
        return status;
      },
      restartFailed: async () => void restarts++,
    },
    name: 'lethe-shop',
    log,
    outages: new Outages(log),
    now: () => nowMs,
  });
});

/** Looks every five seconds, as the loop does. */
async function lookFor(ms: number): Promise<void> {
  for (const end = nowMs + ms; nowMs < end; nowMs += 5_000) await tasks.look();
}

test('a task that failed is restarted at the first look, and nothing of its trace is told', async () => {
  await tasks.look();
  expect(restarts).toBe(0);
  status = failed;
  await tasks.look();
  expect(restarts).toBe(1);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('"reason":"ConnectException","attempt":1');
  expect(lines.join()).not.toContain(canary);
});

test('one that fails again and again waits longer each time, ten minutes at most, and is an alarm', async () => {
  status = failed;
  await lookFor(60_000);
  expect(restarts).toBe(3);
  expect(lines.some((line) => line.includes('ALARM'))).toBe(false);
  await lookFor(24 * 3_600_000);
  expect(restarts).toBeGreaterThan(130);
  expect(restarts).toBeLessThan(160);
  expect(lines.at(-1)).toMatch(/^error .*ALARM: the connector fails again and again/);
  expect([1, 2, 3, 7, 40].map(restartWaitMs)).toEqual([10_000, 20_000, 40_000, 600_000, 600_000]);
});

test('after a quarter of an hour without a failure the next one is a first one', async () => {
  status = failed;
  await lookFor(600_000);
  const before = restarts;
  status = running;
  await lookFor(1_000_000);
  status = failed;
  await tasks.look();
  expect(restarts).toBe(before + 1);
  expect(lines.at(-1)).toContain('"attempt":1');
});

test.each([
  ['paused', { connector: { state: 'PAUSED' }, tasks: [{ state: 'PAUSED' }] }],
  ['stopped', { connector: { state: 'STOPPED' }, tasks: [] }],
  ['not there', undefined],
])('one that is %s is left so', async (_what, is) => {
  status = is;
  await lookFor(60_000);
  expect(restarts).toBe(0);
});

test('Kafka Connect being away is told once, and its coming back', async () => {
  isAway = true;
  await lookFor(60_000);
  isAway = false;
  await lookFor(60_000);
  expect(lines.map((line) => line.split(' ')[0])).toEqual(['warn', 'info']);
});

test('whoever stops does not wait for a Kafka Connect that answers nobody', async () => {
  const silent = new FailedTasks({
    connect: { status: () => new Promise(() => {}), restartFailed: async () => {} },
    name: 'lethe-shop',
    log: {} as Log,
    outages: new Outages({} as Log),
  });
  silent.start();
  expect(silent.stop()).toBeUndefined();
});
