import { type ReadRow, ValueReader } from '../../connectors/postgres/value-reader.ts';
import { type PostgresEndpoint, postgresOptions } from '../../pipeline/postgres-options.ts';
import type { Dataset } from '../../schemas/dataset.ts';

/** One column of one row, by a reader of its own. */
export async function readOnce(
  endpoint: PostgresEndpoint,
  dataset: Dataset,
  column: string,
  key: string,
  txId?: bigint,
): Promise<ReadRow> {
  const reader = new ValueReader(postgresOptions(endpoint), [dataset]);
  try {
    const [row] = await reader.read(dataset.table, [{ key: [key], txId }], [column]);
    return row!;
  } finally {
    await reader.close();
  }
}
