import { tableParts } from '../../schemas/contract.ts';

/** An identifier as it may stand in SQL. */
export function quoteName(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

/** `schema.table` as it may stand in SQL. */
export function quoteTable(table: string): string {
  const { schema, table: bare } = tableParts(table);
  return `${quoteName(schema)}.${quoteName(bare)}`;
}
