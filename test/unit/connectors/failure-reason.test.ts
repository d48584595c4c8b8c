import { expect, test } from 'vitest';
import { failureReason } from '../../../connectors/connect/failure-reason.ts';

const trace = `org.apache.kafka.connect.errors.ConnectException: An exception occurred: canary-value
\tat io.debezium.pipeline.ErrorHandler.setProducerThrowable(ErrorHandler.java:50)
\tat java.base/java.lang.Thread.run(Thread.java:840)
Caused by: io.debezium.DebeziumException: row {email=canary-value}
\tat io.debezium.relational.TableSchemaBuilder.lambda(TableSchemaBuilder.java:1)
Caused by: org.postgresql.util.PSQLException: ERROR: canary-value
canary-value on a line of its own
\t... 5 more
`;

test('the class of the innermost cause is told, and nothing else', () => {
  expect(failureReason(trace)).toBe('PSQLException');
});

test('a trace that is none is unknown', () => {
  expect(failureReason('canary-value')).toBe('unknown');
  expect(failureReason(undefined)).toBe('unknown');
});
