/** A value as JSON: what is not JSON's (bigint, numeric, bytea, times) is text in Postgres' own form. */
export type RowValue =
  | string
  | number
  | boolean
  | null
  | readonly RowValue[]
  | { readonly [key: string]: RowValue };

/** A row by column name; columns that are absent take their default. */
export type Row = Record<string, RowValue>;

/** BeanCart's tables, parents before children. */
export const tables = [
  'customers',
  'addresses',
  'payment_methods',
  'products',
  'subscriptions',
  'orders',
  'order_items',
  'shipments',
  'reviews',
] as const;
export type Table = (typeof tables)[number];
