/** The stores that a table can feed. */
export const sinkNames = ['elasticsearch', 'clickhouse'] as const;
export type SinkName = (typeof sinkNames)[number];
