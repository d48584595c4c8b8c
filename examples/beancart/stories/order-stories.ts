import { canaryValue } from '../canaries.ts';
import type { Lane } from '../lane.ts';
import type { Transaction } from '../transaction.ts';
import { protectedColumn } from '../protected-columns.ts';
import type { Row } from '../row.ts';
import { deleteRow, freshRow, pickRow, setColumns, touch } from './target-row.ts';
import { twoCustomers } from './people-stories.ts';

/** An order with its items and shipment, then paid and sent in transactions of their own. */
export async function order(lane: Lane): Promise<void> {
  const customer = lane.customer();
  const id = await lane.transaction('order', async (tx) => {
    await tx.lockCustomer(customer);
    return placeOrder(lane, tx, customer, lane.random.int(1, 5));
  });
  const row = { table: 'orders', key: [id] } as const;
  await lane.transaction('several', async (tx) => {
    await tx.lockCustomer(customer);
    await setColumns(tx, 'update-kept', row, { status: 'paid', paid_at: '2026-03-01T12:00:00.000001' });
    await setColumns(tx, 'update-kept', row, { status: 'packed' });
    await tx.write('update-kept', "UPDATE shipments SET status = 'transit' WHERE order_id = $1", [id]);
  });
}

/** A company orders for its offices: some hundred rows in one transaction, and in one more when it cancels. */
export async function bulkOrder(lane: Lane): Promise<void> {
  const customer = lane.customer();
  const row = await lane.transaction('bulk', async (tx) => {
    await tx.lockCustomer(customer);
    const id = await placeOrder(lane, tx, customer, lane.random.int(200, 400));
    await tx.write(
      'update-kept',
      'UPDATE order_items SET discount = 1.50 WHERE order_id = $1 AND line > 100',
      [id],
    );
    return { table: 'orders', key: [id] } as const;
  });
  await lane.transaction('bulk', async (tx) => {
    await tx.lockCustomer(customer);
    await deleteRow(tx, row);
  });
}

/** An order goes, its items and shipments with it. */
export async function deleteOrder(lane: Lane): Promise<void> {
  await lane.transaction('single', async (tx) => {
    await deleteRow(tx, await pickRow(lane, tx, 'orders'));
  });
}

/** Two lines change places: a composite key changes three times in one transaction. */
export async function swapLines(lane: Lane): Promise<void> {
  await lane.transaction('several', async (tx) => {
    const customer = lane.customer();
    await tx.lockCustomer(customer);
    const id = await placeOrder(lane, tx, customer, 2);
    const moves = [
      [1, 1_000_000],
      [2, 1],
      [1_000_000, 2],
    ];
    for (const move of moves) {
      const sql = 'UPDATE order_items SET line = $3 WHERE order_id = $1 AND line = $2';
      await tx.write('key-change', sql, [id, ...move]);
    }
  });
}

/** Much is done and nothing is meant. */
export async function rolledBack(lane: Lane): Promise<void> {
  const work = async (tx: Transaction): Promise<void> => {
    const customer = lane.customer();
    await tx.lockCustomer(customer);
    await placeOrder(lane, tx, customer, 3);
    const email = canaryValue(protectedColumn('customers', 'email'), lane.tag());
    await setColumns(tx, 'update-encrypted', { table: 'customers', key: [customer] }, { email });
    await tx.write('delete', 'DELETE FROM reviews WHERE customer_id = $1', [customer]);
  };
  await lane.transaction('rolled-back', work, { rollback: true });
  // The same as a part of a transaction that is kept.
  await lane.transaction('savepoint', async (tx) => {
    const row = await pickRow(lane, tx, 'customers');
    await touch(tx, row);
    await tx.discard(() => work(tx));
    await touch(tx, row);
  });
}

/**
 * Two transactions write by turns, the one that began later commits first, and both change one row: positions in
 * the log and order of commits disagree.
 */
export async function interleaved(lane: Lane): Promise<void> {
  const [first, second] = twoCustomers(lane);
  if (first === second) return;
  const a = { table: 'customers', key: [first] } as const;
  const b = { table: 'customers', key: [second] } as const;
  const email = protectedColumn('customers', 'email');
  await lane.interleave(async (outer, inner) => {
    await outer.lockCustomer(first);
    await touch(outer, a);
    await inner.begin();
    await inner.lockCustomer(second);
    await setColumns(inner, 'update-encrypted', b, { email: canaryValue(email, lane.tag()) });
    const id = await placeOrder(lane, outer, first, 2);
    await placeOrder(lane, inner, second, 1);
    await setColumns(outer, 'update-encrypted', a, { email: canaryValue(email, lane.tag()) });
    await touch(inner, b);
    await inner.commit();
    await outer.lockCustomer(second);
    await touch(outer, b);
    await setColumns(outer, 'update-encrypted', b, { email: canaryValue(email, lane.tag()) });
    await touch(outer, { table: 'orders', key: [id] });
  });
}

/** Inserts an order with this many lines and a shipment; returns its id. */
async function placeOrder(lane: Lane, tx: Transaction, customer: string, lines: number): Promise<string> {
  const { random } = lane;
  const skus = await tx.read(
    `SELECT sku FROM products WHERE status <> 'draft' ORDER BY md5(concat(sku, $1::text)) LIMIT $2`,
    [lane.salt(), Math.min(lines, 12)],
  );
  const [refs] = await tx.read(
    `SELECT (SELECT token FROM payment_methods WHERE customer_id = $1 ORDER BY token LIMIT 1) AS payment_token,
            (SELECT code FROM subscriptions WHERE customer_id = $1 ORDER BY code LIMIT 1) AS subscription_code,
            (SELECT id::text FROM addresses WHERE customer_id = $1 ORDER BY id LIMIT 1) AS ship_to`,
    [customer],
  );
  const owner = { customer_id: customer };
  const row = lane.maybePlant('orders', freshRow(random, 'orders', owner));
  const id = await tx.insertOne('orders', { ...row, ...(refs as Row) });
  const items = Array.from({ length: lines }, (_, i) => {
    const product_sku = String(skus[i % skus.length]?.['sku']);
    const item = freshRow(random, 'order_items', { ...owner, order_id: id, product_sku });
    item['line'] = i + 1;
    return lane.maybePlant('order_items', item);
  });
  await tx.insert('order_items', items);
  const shipment = freshRow(random, 'shipments', { ...owner, order_id: id, id: lane.uuid() });
  await tx.insert('shipments', [lane.maybePlant('shipments', shipment)]);
  return id;
}
