import { registerSinkTests } from '../support/sink-suite.ts';
import { makeClickhouseHarness } from '../support/clickhouse-harness.ts';
import { acquireStack } from '../support/stack.ts';

registerSinkTests('clickhouse sink', async () => {
  const { endpoints } = await acquireStack();
  return await makeClickhouseHarness(endpoints.clickhouse.url);
});
