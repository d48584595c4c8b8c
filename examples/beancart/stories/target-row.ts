import type { Lane } from '../lane.ts';
import { Skipped, type Transaction } from '../transaction.ts';
import { makeAddress, makeCustomer, makePaymentMethod } from '../people.ts';
import type { Random } from '../random.ts';
import type { Row, Table } from '../row.ts';
import {
  makeOrder,
  makeOrderItem,
  makeProduct,
  makeReview,
  makeShipment,
  makeSubscription,
} from '../shop.ts';
import type { StatementKind } from '../traffic-report.ts';

/** An existing row that a story works on, under the lock of its customer. */
export interface TargetRow {
  readonly table: Table;
  readonly key: readonly string[];
}

/** A few customers are looked at for one that has such a row. */
const candidates = 12;

export const keyColumns: Readonly<Record<Table, readonly string[]>> = {
  customers: ['id'],
  addresses: ['id'],
  payment_methods: ['token'],
  products: ['sku'],
  subscriptions: ['code'],
  orders: ['id'],
  order_items: ['order_id', 'line'],
  shipments: ['id'],
  reviews: ['id'],
};

/** An ordinary change of columns that are kept. */
const touches: Readonly<Record<Table, string>> = {
  customers: 'loyalty_points = loyalty_points + 1',
  addresses: 'is_default = NOT is_default',
  payment_methods: 'is_default = NOT is_default',
  products: 'stock = coalesce(stock, 0) + 1, price = price + 0.01',
  subscriptions: 'quantity = quantity % 5 + 1',
  orders: "total = total + 0.01, status = 'packed'",
  order_items: 'quantity = quantity % 9 + 1',
  shipments: "checkpoints = array_append(checkpoints, 'hub')",
  reviews: 'helpful = coalesce(helpful, 0) + 1',
};

/** Chooses a row of one of the lane's customers (or a product) and locks the customer. */
export async function pickRow(lane: Lane, tx: Transaction, table: Table): Promise<TargetRow> {
  const salt = lane.salt();
  const columns = keyColumns[table];
  const key = columns.map((c) => `${c}::text AS ${c}`).join(', ');
  const shuffled = `ORDER BY md5(concat(${columns.join(", '/', ")}, $1::text)) LIMIT 1`;
  if (table === 'products')
    return targetOf(table, await tx.read(`SELECT ${key} FROM products ${shuffled}`, [salt]));
  if (table === 'customers') {
    const id = lane.customer();
    await tx.lockCustomer(id);
    return { table, key: [id] };
  }
  const owners = Array.from({ length: candidates }, () => lane.customer());
  const owner = await tx.pick(
    `SELECT id FROM customers WHERE id = (
       SELECT customer_id FROM ${table} WHERE customer_id = ANY ($1::bigint[])
       ORDER BY md5(concat(customer_id, $2::text)) LIMIT 1
     ) FOR NO KEY UPDATE`,
    [owners, salt],
  );
  return targetOf(
    table,
    await tx.read(`SELECT ${key} FROM ${table} WHERE customer_id = $2 ${shuffled}`, [salt, owner]),
  );
}

function targetOf(table: Table, rows: Record<string, unknown>[]): TargetRow {
  const [row] = rows;
  if (!row) throw new Skipped();
  return { table, key: Object.values(row).map(String) };
}

/** `id = $1`, `order_id = $1 AND line = $2`. */
export function whereKey(table: Table): string {
  return keyColumns[table].map((column, i) => `${column} = $${i + 1}`).join(' AND ');
}

/** Sets columns to values; `condition` may narrow it down. */
export async function setColumns(
  tx: Transaction,
  kind: StatementKind,
  row: TargetRow,
  values: Row,
  condition = 'true',
): Promise<number> {
  const source = `jsonb_populate_record(NULL::${row.table}, $${row.key.length + 1})`;
  const set = Object.keys(values).map((column) => `${column} = (${source}).${column}`);
  return tx.write(
    kind,
    `UPDATE ${row.table} SET ${set.join(', ')} WHERE ${whereKey(row.table)} AND ${condition}`,
    [...row.key, JSON.stringify(values)],
  );
}

/** Changes kept columns. */
export async function touch(
  tx: Transaction,
  row: TargetRow,
  kind: StatementKind = 'update-kept',
  condition = 'true',
): Promise<number> {
  const sql = `UPDATE ${row.table} SET ${touches[row.table]} WHERE ${whereKey(row.table)} AND ${condition}`;
  return tx.write(kind, sql, row.key);
}

/** Deletes it; tables with children cascade. */
export async function deleteRow(tx: Transaction, row: TargetRow): Promise<number> {
  const cascades = row.table === 'customers' || row.table === 'orders';
  const sql = `DELETE FROM ${row.table} WHERE ${whereKey(row.table)}`;
  return tx.write(cascades ? 'delete-cascade' : 'delete', sql, row.key);
}

/** New values for a row of the table; of its references only those that the given columns hold are meant. */
export function freshRow(random: Random, table: Table, given: Readonly<Record<string, string>> = {}): Row {
  const of = (column: string): string => given[column] ?? '0';
  const made = {
    customers: () => makeCustomer(random, undefined, of('external_ref')),
    addresses: () => makeAddress(random, undefined, of('customer_id')),
    payment_methods: () => makePaymentMethod(random, of('customer_id'), of('customer_ref')),
    products: () => makeProduct(random, of('sku'), 'draft'),
    subscriptions: () => makeSubscription(random, of('code'), of('customer_id'), of('product_sku'), null),
    orders: () =>
      makeOrder(random, undefined, {
        customerId: of('customer_id'),
        subscriptionCode: null,
        paymentToken: null,
        addressId: null,
      }),
    order_items: () =>
      makeOrderItem(random, of('order_id'), Number(of('line')), of('customer_id'), of('product_sku')),
    shipments: () => makeShipment(random, of('order_id'), of('customer_id')),
    reviews: () => makeReview(random, undefined, of('customer_id'), of('product_sku')),
  }[table]();
  return { ...made, ...given };
}
