import { canaryValue, largeCanaryValue } from '../canaries.ts';
import type { Lane } from '../lane.ts';
import { protectedColumn, type ProtectedAction, protectedColumns } from '../protected-columns.ts';
import type { RowValue, Table } from '../row.ts';
import { tables } from '../row.ts';
import type { StatementKind } from '../traffic-report.ts';
import { freshRow, keyColumns, pickRow, setColumns, touch } from './target-row.ts';

const nullables: readonly (readonly [Table, string])[] = [
  ['customers', 'locale'], // kept, with a default that NULL must not turn into
  ['customers', 'phone'],
  ['customers', 'birth_date'],
  ['customers', 'allergies'],
  ['addresses', 'line2'],
  ['payment_methods', 'spend_limit'],
  ['payment_methods', 'billing_ip'],
  ['products', 'stock'],
  ['products', 'organic'],
  ['subscriptions', 'grind'],
  ['subscriptions', 'partner_id'],
  ['orders', 'currency'],
  ['orders', 'loyalty_card'],
  ['order_items', 'discount'],
  ['shipments', 'tracking_number'],
  ['reviews', 'helpful'],
];

const largeKept: readonly (readonly [Table, string])[] = [
  ['products', 'description'],
  ['products', 'attributes'],
  ['products', 'tags'],
  ['products', 'photo'],
];
const large: readonly (readonly [Table, string])[] = [
  ...largeKept,
  ...largeKept,
  ...protectedColumns.filter((c) => c.large).map((c) => [c.table, c.column] as const),
];

/** An update of kept columns of any table. */
export async function updateKept(lane: Lane): Promise<void> {
  await lane.transaction('single', async (tx) => {
    await touch(tx, await pickRow(lane, tx, lane.random.pick(tables)));
  });
}

/** An update of one protected column of any table, to a canary half of the time. */
export function updateProtected(kind: StatementKind, actions: readonly ProtectedAction[]) {
  const columns = protectedColumns.filter(
    (c) =>
      actions.includes(c.action) &&
      c.valuesOf === undefined &&
      c.column !== 'external_ref' &&
      !keyColumns[c.table].includes(c.column),
  );
  return async (lane: Lane): Promise<void> => {
    const column = lane.random.pick(columns);
    await lane.transaction('single', async (tx) => {
      const row = await pickRow(lane, tx, column.table);
      const plain = freshRow(lane.random, column.table)[column.column] ?? null;
      await setColumns(tx, kind, row, { [column.column]: lane.protect(column, plain) });
    });
  };
}

/** Value, null, value again, whichever the row starts with; sometimes null at the end. */
export async function nullAndBack(lane: Lane): Promise<void> {
  const [table, name] = lane.random.pick(nullables);
  const value = nonNull(lane, table, name);
  const row = await lane.transaction('single', async (tx) => {
    const row = await pickRow(lane, tx, table);
    await setColumns(tx, 'value-to-null', row, { [name]: null }, `${name} IS NOT NULL`);
    return row;
  });
  const steps: [StatementKind, RowValue, string][] = [
    ['null-to-value', value, `${name} IS NULL`],
    ['value-to-null', null, `${name} IS NOT NULL`],
  ];
  for (const [kind, to, when] of steps) {
    if (kind === 'value-to-null' && lane.random.chance(0.5)) break;
    await lane.transaction('single', async (tx) => {
      await setColumns(tx, kind, row, { [name]: to }, when);
    });
  }
}

/**
 * A value grows beyond what a row holds, the row changes while that value does not (the WAL then lacks it), the
 * value changes again.
 */
export async function growAndTouch(lane: Lane): Promise<void> {
  const [table, name] = lane.random.pick(large);
  const still = `octet_length(${name}::text) > 8000`;
  const row = await lane.transaction('single', async (tx) => {
    const row = await pickRow(lane, tx, table);
    await setColumns(tx, 'toast-changed', row, { [name]: largeValue(lane, table, name) });
    return row;
  });
  await lane.transaction('single', async (tx) => {
    await touch(tx, row, 'toast-unchanged', still);
  });
  if (lane.random.chance(0.5)) {
    // Twice in one transaction, with another column's change between.
    await lane.transaction('several', async (tx) => {
      await touch(tx, row, 'toast-unchanged', still);
      await setColumns(tx, 'toast-changed', row, { [name]: largeValue(lane, table, name) });
      await touch(tx, row, 'toast-unchanged', still);
    });
  }
  if (lane.random.chance(0.3)) {
    await lane.transaction('single', async (tx) => {
      await setColumns(tx, 'toast-changed', row, { [name]: nonNull(lane, table, name) });
    });
  }
}

/** Several changes of one row in one transaction: they share the commit and are told apart by their own position. */
export async function changeOneRowOften(lane: Lane): Promise<void> {
  await lane.transaction('several', async (tx) => {
    const row = await pickRow(lane, tx, 'customers');
    await touch(tx, row);
    for (const column of ['email', 'full_name', 'email']) {
      const value = canaryValue(protectedColumn('customers', column), lane.tag());
      await setColumns(tx, 'update-encrypted', row, { [column]: value });
    }
    await touch(tx, row);
  });
}

/** A number in jsonb that no JavaScript number holds. */
export async function preciseNumber(lane: Lane): Promise<void> {
  await lane.transaction('single', async (tx) => {
    const { key } = await pickRow(lane, tx, 'products');
    const patch = `{"lot": 90071992547409930${lane.random.digits(4)}.125}`;
    const sql = 'UPDATE products SET attributes = attributes || $2::jsonb WHERE sku = $1';
    await tx.write('update-kept', sql, [...key, patch]);
  });
}

/** A canary half of the time where the column is protected; never null. */
function nonNull(lane: Lane, table: Table, name: string): RowValue {
  const column = protectedColumns.find((c) => c.table === table && c.column === name);
  for (;;) {
    const plain = freshRow(lane.random, table)[name];
    if (plain !== null && plain !== undefined) return column ? lane.protect(column, plain) : plain;
  }
}

function largeValue(lane: Lane, table: Table, name: string): RowValue {
  const { random } = lane;
  if (table !== 'products') return largeCanaryValue(protectedColumn(table, name), lane.tag(), random);
  switch (name) {
    case 'tags':
      return Array.from({ length: 900 }, () => random.bytes(6).toString('hex'));
    case 'attributes':
      return { farm: random.longText(random.toastLength()) };
    case 'photo':
      return random.bytea(random.toastLength());
    default:
      return random.longText(random.toastLength());
  }
}
