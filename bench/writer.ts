import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { insertRows } from './table.ts';

/*
 * Single-row transactions at a steady rate, in a process of its own. Several connections share the work; where the
 * source does not keep up the rate sinks, which the measurement tells.
 */
const connections = 8;
const { values } = parseArgs({
  options: {
    source: { type: 'string' },
    first: { type: 'string' },
    rows: { type: 'string' },
    rate: { type: 'string' },
  },
});
const [first, rows, rate] = [values.first, values.rows, values.rate].map(Number) as [number, number, number];

const startedMs = performance.now();
let next = 0;

async function write(): Promise<void> {
  const client = new Client({ connectionString: values.source });
  await client.connect();
  while (next < rows) {
    const row = next++;
    const dueMs = startedMs + (row * 1_000) / rate;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    await client.query({ name: 'insert', text: insertRows, values: [first + row, first + row] });
  }
  await client.end();
}

await Promise.all(Array.from({ length: connections }, write));
