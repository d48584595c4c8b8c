import { setTimeout as sleep } from 'node:timers/promises';
import type { Traffic } from '../examples/beancart/traffic.ts';
import type { Endpoints } from '../stack/endpoints.ts';
import type { Stack } from '../stack/stack.ts';
import type { Processors } from './demo-environment.ts';
import { type PipelineStatus, readStatus } from './pipeline-status.ts';
import type { Project } from './project.ts';

/** The demo's parts, all running. */
export interface RunningDemo {
  readonly project: Project;
  readonly stack: Stack;
  readonly processors: Processors;
  readonly traffic: Traffic;
  readonly signal: AbortSignal;
}

/** Endpoints, three queries to paste, and how to stop. */
export function whereToLook(endpoints: Endpoints, env: Record<string, string>): string {
  const clickhouse = new URL(endpoints.clickhouse.url);
  return `
BeanCart is live. Customers change in Postgres; cleaned of what the contracts protect, they arrive here:

  Postgres       ${endpoints.postgres.url}
  Kafka          ${endpoints.kafka.brokers.join(', ')}   topics clean.public.*
  Connect        ${endpoints.connect.url}/connectors/lethe-beancart/status
  Registry       ${endpoints.registry.url}/subjects
  Elasticsearch  ${endpoints.elasticsearch.url}   aliases beancart-*
  ClickHouse     ${endpoints.clickhouse.url}   database beancart

Three queries to paste:

  # a product found by its description
  curl -s '${endpoints.elasticsearch.url}/beancart-products/_search?q=description:coffee&size=1&pretty'
  # a customer as analytics sees one: the e-mail is ciphertext, the birth date too
  curl -s '${clickhouse.href}' --data-binary 'SELECT * FROM beancart.customers LIMIT 1 FORMAT Vertical'
  # orders a minute
  curl -s '${clickhouse.href}' --data-binary "SELECT toStartOfMinute(_lethe_commit_ms) AS minute, count() FROM beancart.orders GROUP BY minute ORDER BY minute FORMAT PrettyCompact"

Where everything stands: see below, or in another terminal
  ${Object.entries(env)
    .map(([name, value]) => `${name}='${value}'`)
    .join(' ')} \\
  node dist/cli/main.js status --config examples/beancart/lethe.yaml

Ctrl-C ends it all.

`;
}

/** One line a second on a terminal, one in ten elsewhere, until interrupted or a part ends. */
export async function liveView({ project, processors, traffic, signal }: RunningDemo): Promise<void> {
  const terminal = process.stdout.isTTY;
  const ended = new AbortController();
  void processors.ended.then(() => ended.abort());
  let last = { at: performance.now(), transactions: 0 };
  while (!signal.aborted && !ended.signal.aborted) {
    const status = await readStatus(project.config, project.datasets);
    const now = { at: performance.now(), transactions: traffic.report().transactions };
    const rate = ((now.transactions - last.transactions) * 1000) / (now.at - last.at);
    last = now;
    const line = viewLine(status, rate);
    process.stdout.write(
      terminal ? `\r\u001B[2K${line.slice(0, (process.stdout.columns || 80) - 1)}` : `${line}\n`,
    );
    await sleep(terminal ? 1_000 : 10_000, undefined, { signal }).catch(() => {});
  }
  if (terminal) process.stdout.write('\n');
  if (ended.signal.aborted) {
    process.stderr.write(`the processors ended by themselves; their log: ${processors.logFile}\n`);
    process.exitCode = 1;
  }
}

/** `38 tx/s  slot 12 kB  transform 3  elasticsearch 5 behind, 0.4 s old  clickhouse ...  dead letters 0`. */
export function viewLine(status: PipelineStatus, transactionsPerSecond: number): string {
  const parts = [
    `${transactionsPerSecond.toFixed(0)} tx/s`,
    `slot ${(status.slot.lagBytes / 1024).toFixed(0)} kB`,
  ];
  for (const sink of ['elasticsearch', 'clickhouse'] as const) {
    const own = status.sinks.filter((s) => s.sink === sink);
    const behind = own.reduce((sum, s) => sum + s.rawLag + s.cleanLag, 0);
    const oldest = Math.max(0, ...own.map((s) => s.stalenessMs ?? 0));
    const late = own.filter((s) => !s.met).length;
    parts.push(
      `${sink} ${behind} behind, ${(oldest / 1000).toFixed(1)} s old${late > 0 ? `, ${late} late` : ''}`,
    );
  }
  parts.push(`dead letters ${status.deadLetters.reduce((sum, d) => sum + d.count, 0)}`);
  return parts.join('  ');
}
