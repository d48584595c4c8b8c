import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { canaries } from '../examples/beancart/canaries.ts';
import { rawTopic } from '../schemas/names.ts';
import { PART_NAMES } from '../stack/part-name.ts';
import { allEqual, comparePipeline } from '../verify/compare.ts';
import { pipelinePlaces } from '../verify/places/pipeline-places.ts';
import { formatComparison, formatScan, reportJson } from '../verify/report.ts';
import { isClean, scanForCanaries } from '../verify/scan.ts';
import { eraseOneCustomer } from './demo-erasure.ts';
import type { RunningDemo } from './demo-view.ts';
import { readStatus } from './pipeline-status.ts';
import { waitForPurge } from './wait-for-purge.ts';
import { waitForSinks } from './wait-for-sinks.ts';

const sinksLimitMs = 300_000;
const purgeLimitMs = 60_000;

export interface OnceOptions {
  readonly trafficMs: number;
  readonly json: boolean;
  readonly say: (text: string) => void;
}

/**
 * Runs traffic, stops it, waits until both stores have passed its last LSN, compares every row of every table with the
 * contract applied to Postgres, and scans every place for canaries. True only if all is equal, nothing leaked, no
 * statement of the application failed and nothing went to the dead letters.
 */
export async function proveOnce(demo: RunningDemo, { trafficMs, json, say }: OnceOptions): Promise<boolean> {
  const { project, stack, processors, traffic, signal } = demo;
  const { config, datasets } = project;
  const contracts = project.contracts.map((c) => c.contract);
  say(`live traffic for ${trafficMs / 1000} s`);
  await sleep(trafficMs, undefined, { signal });
  const print = (text: string) => void (json ? process.stderr : process.stdout).write(text);
  const erased = await eraseOneCustomer(project, [processors.logFile], print);
  const report = await traffic.stop();
  say(`stopped after ${report.transactions} transactions; waiting for both stores to pass the last of them`);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(sinksLimitMs)]);
  const { lsn } = await waitForSinks(config, datasets, { signal: limit });
  say(`both stores have passed ${lsn}; comparing every row`);
  const comparisons = await comparePipeline(config, contracts);
  const rawTopics = datasets.map((d) => rawTopic(config, d.table));
  const logDir = join(stack.partDir('kafka').data, 'logs');
  if (!(await waitForPurge(logDir, rawTopics, purgeLimitMs, signal)))
    say('purged raw records are still on disk');
  say('scanning every place for canaries');
  const logs = [...PART_NAMES.map((part) => stack.partDir(part).logFile), processors.logFile];
  const places = await scanForCanaries({
    places: pipelinePlaces(config, contracts, { logs }),
    canaries: canaries(),
    onPlace: (name) => say(`  ${name}`),
  });
  const { deadLetters } = await readStatus(config, datasets);
  const buried = deadLetters.reduce((sum, d) => sum + d.count, 0);
  const colour = process.stdout.isTTY;
  if (json) process.stdout.write(reportJson(comparisons, places));
  else {
    process.stdout.write(
      `\n${formatComparison(comparisons, { colour })}\n${formatScan(places, { colour })}\n`,
    );
    process.stdout.write(
      `application: ${report.transactions} transactions, ${report.failed} statements refused\n`,
    );
    process.stdout.write(`dead letters: ${buried}\n`);
  }
  return erased && allEqual(comparisons) && isClean(places) && report.failed === 0 && buried === 0;
}
