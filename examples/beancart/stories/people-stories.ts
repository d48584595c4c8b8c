import { canaryValue } from '../canaries.ts';
import type { Lane } from '../lane.ts';
import { protectedColumn } from '../protected-columns.ts';
import { deleteRow, freshRow, pickRow } from './target-row.ts';

/** A lane keeps this many customers when some leave. */
const customersKept = 20;

/** A new customer with address and payment method. */
export async function signUp(lane: Lane): Promise<void> {
  const { random } = lane;
  const id = await lane.transaction('several', async (tx) => {
    const ref = `BC-${lane.tag()}`;
    const customer = lane.maybePlant('customers', freshRow(random, 'customers', { external_ref: ref }));
    const id = await tx.insertOne('customers', customer);
    const owner = { customer_id: id };
    await tx.insertOne('addresses', lane.maybePlant('addresses', freshRow(random, 'addresses', owner)));
    const method = { ...owner, customer_ref: customer['external_ref'] as string, token: `tok_${lane.tag()}` };
    const row = freshRow(random, 'payment_methods', method);
    await tx.insert('payment_methods', [lane.maybePlant('payment_methods', row)]);
    return id;
  });
  lane.customers.push(id);
}

/** A customer is deleted, and with them all that hangs on them. */
export async function leave(lane: Lane): Promise<void> {
  if (lane.customers.length <= customersKept) return signUp(lane);
  const at = lane.random.int(0, lane.customers.length - 1);
  const [id] = lane.customers.splice(at, 1);
  await lane.transaction('single', async (tx) => {
    await tx.lockCustomer(id!);
    await deleteRow(tx, { table: 'customers', key: [id!] });
  });
}

/** Two accounts become one: addresses and reviews change their owner, and with it the key they are encrypted under. */
export async function mergeAccounts(lane: Lane): Promise<void> {
  const [first, second] = twoCustomers(lane);
  const [from, to] = lane.random.chance(0.5) ? [first, second] : [second, first];
  await lane.transaction('several', async (tx) => {
    await tx.lockCustomer(first);
    await tx.lockCustomer(second);
    // An address that an order refers to stays: deleting its owner would reach into the other customer's orders.
    await tx.write(
      'subject-change',
      `UPDATE addresses a SET customer_id = $2 WHERE customer_id = $1
         AND NOT EXISTS (SELECT FROM orders WHERE ship_to = a.id)
         AND NOT EXISTS (SELECT FROM subscriptions WHERE address_id = a.id)`,
      [from, to],
    );
    await tx.write('subject-change', 'UPDATE reviews SET customer_id = $2 WHERE customer_id = $1', [
      from,
      to,
    ]);
  });
}

/** A new number for the partners: a hashed column changes, and by cascade the one it is joined with. */
export async function renumberCustomer(lane: Lane): Promise<void> {
  const ref = lane.protect(protectedColumn('customers', 'external_ref'), `BC-${lane.tag()}`);
  await lane.transaction('single', async (tx) => {
    const { key } = await pickRow(lane, tx, 'customers');
    await tx.write('update-hashed', 'UPDATE customers SET external_ref = $2 WHERE id = $1', [...key, ref]);
  });
}

/** The payment provider gives a new token: a hashed primary key changes, and by cascade the orders' reference. */
export async function rotateToken(lane: Lane): Promise<void> {
  const token = lane.random.chance(0.5)
    ? `tok_${lane.tag()}`
    : canaryValue(protectedColumn('payment_methods', 'token'), lane.tag());
  await lane.transaction('single', async (tx) => {
    const { key } = await pickRow(lane, tx, 'payment_methods');
    const sql = 'UPDATE payment_methods SET token = $2 WHERE token = $1';
    await tx.write('hashed-key-change', sql, [...key, token]);
  });
}

/** Two customers in the order in which they are to be locked. */
export function twoCustomers(lane: Lane): [string, string] {
  const [a, b] = [BigInt(lane.customer()), BigInt(lane.customer())];
  return a < b ? [String(a), String(b)] : [String(b), String(a)];
}
