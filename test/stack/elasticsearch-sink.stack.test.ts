import { registerSinkTests } from '../support/sink-suite.ts';
import { makeElasticsearchHarness } from '../support/elasticsearch-harness.ts';
import { acquireStack } from '../support/stack.ts';

registerSinkTests('elasticsearch sink', async () => {
  const { endpoints } = await acquireStack();
  return await makeElasticsearchHarness(endpoints.elasticsearch.url);
});
