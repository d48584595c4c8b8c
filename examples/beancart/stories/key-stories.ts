import type { Lane } from '../lane.ts';
import type { Transaction } from '../transaction.ts';
import { makeSku } from '../shop.ts';
import type { Table } from '../row.ts';
import { canaryValue } from '../canaries.ts';
import { protectedColumn } from '../protected-columns.ts';
import {
  deleteRow,
  freshRow,
  keyColumns,
  pickRow,
  setColumns,
  type TargetRow,
  whereKey,
} from './target-row.ts';

/** References that a row needs to be inserted anew; columns that are absent become null. */
const references: Readonly<Partial<Record<Table, readonly string[]>>> = {
  order_items: ['order_id', 'line', 'customer_id', 'product_sku'],
  shipments: ['id', 'order_id', 'customer_id'],
  reviews: ['id', 'customer_id', 'product_sku'],
  payment_methods: ['token', 'customer_id', 'customer_ref'],
  subscriptions: ['code', 'customer_id', 'product_sku'],
};
const reinsertable = Object.keys(references) as Table[];

/** Deleted and inserted with the same key, in one transaction or in two. */
export async function reinsert(lane: Lane): Promise<void> {
  const table = lane.random.pick(reinsertable);
  await lane.transaction('several', async (tx) => {
    const gone = await take(lane, tx, table);
    await putBack(lane, tx, table, gone);
  });
  const gone = await lane.transaction('single', (tx) => take(lane, tx, table));
  await lane.transaction('single', async (tx) => {
    await tx.lockCustomer(gone['customer_id']!);
    // What it refers to may have been renamed or deleted meanwhile; then it does not come back.
    if (gone['product_sku']) gone['product_sku'] = await anySku(lane, tx);
    if (gone['customer_ref']) {
      const sql = 'SELECT external_ref FROM customers WHERE id = $1';
      gone['customer_ref'] = await tx.pick(sql, [gone['customer_id']]);
    }
    if (gone['order_id']) await tx.pick('SELECT id FROM orders WHERE id = $1', [gone['order_id']]);
    await putBack(lane, tx, table, gone);
  });
}

async function take(lane: Lane, tx: Transaction, table: Table): Promise<Record<string, string>> {
  const row = await pickRow(lane, tx, table);
  const columns = references[table]!.map((c) => `${c}::text AS ${c}`).join(', ');
  const [found] = await tx.read(`SELECT ${columns} FROM ${table} WHERE ${whereKey(table)}`, row.key);
  await deleteRow(tx, row);
  return found as Record<string, string>;
}

async function putBack(
  lane: Lane,
  tx: Transaction,
  table: Table,
  given: Record<string, string>,
): Promise<void> {
  const row = freshRow(lane.random, table, given);
  if (lane.random.chance(0.5)) {
    const key = Object.fromEntries(keyColumns[table].map((c) => [c, row[c]!]));
    Object.assign(lane.plant(table, row), key);
  }
  await tx.insert(table, [row], 'reinsert');
}

/** Lives for one transaction alone. */
export async function fleeting(lane: Lane): Promise<void> {
  await lane.transaction('several', async (tx) => {
    const customer = lane.customer();
    await tx.lockCustomer(customer);
    const given = { customer_id: customer, product_sku: await anySku(lane, tx) };
    const id = await tx.insertOne('reviews', lane.plant('reviews', freshRow(lane.random, 'reviews', given)));
    const row = { table: 'reviews', key: [id] } as const;
    const reply = canaryValue(protectedColumn('reviews', 'reply'), lane.tag());
    await setColumns(tx, 'update-encrypted', row, { reply });
    await deleteRow(tx, row);
  });
}

/** A review that stays, and one that goes, full of canaries. */
export async function review(lane: Lane): Promise<void> {
  await lane.transaction('single', async (tx) => {
    const customer = lane.customer();
    await tx.lockCustomer(customer);
    const given = { customer_id: customer, product_sku: await anySku(lane, tx) };
    await tx.insertOne('reviews', lane.plant('reviews', freshRow(lane.random, 'reviews', given)));
  });
  await lane.transaction('single', async (tx) => {
    await deleteRow(tx, await pickRow(lane, tx, 'reviews'));
  });
}

/** A subscription begins, and one gets a new code: a natural key changes, and by cascade the orders' reference. */
export async function reissueCode(lane: Lane): Promise<void> {
  const code = (): string => `SUB-${lane.tag()}`;
  await lane.transaction('single', async (tx) => {
    const customer = lane.customer();
    await tx.lockCustomer(customer);
    const given = { code: code(), customer_id: customer, product_sku: await anySku(lane, tx) };
    const row = freshRow(lane.random, 'subscriptions', given);
    await tx.insert('subscriptions', [lane.maybePlant('subscriptions', row)]);
  });
  await lane.transaction('single', async (tx) => {
    const { key } = await pickRow(lane, tx, 'subscriptions');
    await tx.write('key-change', 'UPDATE subscriptions SET code = $2 WHERE code = $1', [...key, code()]);
  });
}

/** A product is renumbered, and with it every item, subscription and review of it. */
export async function renumberProduct(lane: Lane): Promise<void> {
  await lane.transaction(
    'single',
    async (tx) => {
      const { key } = await pickRow(lane, tx, 'products');
      await tx.write('key-change', 'UPDATE products SET sku = $2 WHERE sku = $1', [...key, newSku(lane)]);
    },
    { alone: true },
  );
}

/** A draft is written and thrown away: nothing refers to it. */
export async function draft(lane: Lane): Promise<void> {
  const row: TargetRow = { table: 'products', key: [newSku(lane)] };
  await lane.transaction('single', async (tx) => {
    const product = freshRow(lane.random, 'products', { sku: row.key[0]! });
    await tx.insert('products', [lane.maybePlant('products', product)]);
  });
  if (lane.random.chance(0.9)) {
    await lane.transaction('single', async (tx) => {
      await deleteRow(tx, row);
    });
  }
}

function newSku(lane: Lane): string {
  return `${makeSku(lane.random, lane.random.int(1_000_000, 9_999_999))}/${lane.tag()}`;
}

async function anySku(lane: Lane, tx: Transaction): Promise<string> {
  const sql = "SELECT sku FROM products WHERE status <> 'draft' ORDER BY md5(concat(sku, $1::text)) LIMIT 1";
  return tx.pick(sql, [lane.salt()]);
}
