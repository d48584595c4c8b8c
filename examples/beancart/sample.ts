import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientBase } from 'pg';
import { LetheError, safeReason } from '../../schemas/errors.ts';
import { plantCanaries } from './canaries.ts';
import { beancartFolder } from './folder.ts';
import { insertRows } from './insert-rows.ts';
import { makeAddress, makeCustomer, makePaymentMethod } from './people.ts';
import { deriveSeed, Random } from './random.ts';
import { type Row, type Table, tables } from './row.ts';
import {
  makeOrder,
  makeOrderItem,
  makeProduct,
  makeReview,
  makeShipment,
  makeSku,
  makeSubscription,
} from './shop.ts';

const customersPerTransaction = 250;
/** One row in so many is all canaries, and one in so many has them in TOAST-sized values. */
const canaryEvery = 25;
const largeCanaryEvery = 50;

export interface SampleOptions {
  readonly customers: number;
  readonly seed: number;
  /** Called after each transaction. */
  readonly onProgress?: (progress: SampleProgress) => void;
}

export interface SampleProgress {
  readonly customers: number;
  readonly totalCustomers: number;
  /** Rows of all tables so far. */
  readonly rows: number;
}

/** Creates BeanCart's tables in an empty database. */
export async function loadSchema(client: ClientBase): Promise<void> {
  await client.query(await readFile(join(beancartFolder, 'schema.sql'), 'utf8'));
}

/**
 * Fills the tables: the same seed and number of customers give the same rows to the last byte. Returns the number
 * of rows by table.
 */
export async function loadSample(client: ClientBase, options: SampleOptions): Promise<Record<Table, number>> {
  const counts = Object.fromEntries(tables.map((t) => [t, 0])) as Record<Table, number>;
  let customers = 0;
  for (const chunk of sampleRows(options)) {
    await client.query('BEGIN');
    try {
      for (const table of tables) counts[table] += await insertRows(client, table, chunk[table]);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw new LetheError('SERVER_FAILED', `Postgres refused BeanCart's sample: ${safeReason(error)}`, {
        fix: 'Load it once, into a database where nothing but loadSchema was run.',
      });
    }
    customers += chunk.customers.length;
    options.onProgress?.({
      customers,
      totalCustomers: options.customers,
      rows: tables.reduce((sum, t) => sum + counts[t], 0),
    });
  }
  await finish(client);
  return counts;
}

/** The sample, chunk by chunk, each whole in its references to itself and the chunks before. */
export function* sampleRows(
  options: Pick<SampleOptions, 'customers' | 'seed'>,
): Generator<Record<Table, Row[]>> {
  const sample = new Sample(new Random(deriveSeed(options.seed, 0)));
  yield sample.products(Math.min(1_000, Math.max(60, Math.round(options.customers / 10))));
  for (let from = 1; from <= options.customers; from += customersPerTransaction) {
    yield sample.customers(from, Math.min(options.customers, from + customersPerTransaction - 1));
  }
}

class Sample {
  readonly #random: Random;
  readonly #skus: string[] = [];
  readonly #made = Object.fromEntries(tables.map((t) => [t, 0])) as Record<Table, number>;
  #chunk = emptyChunk();

  constructor(random: Random) {
    this.#random = random;
  }

  products(count: number): Record<Table, Row[]> {
    this.#chunk = emptyChunk();
    for (let i = 1; i <= count; i++) {
      const sku = makeSku(this.#random, i);
      this.#add('products', makeProduct(this.#random, sku, i % 30 === 0 ? 'retired' : 'active'));
      this.#skus.push(sku);
    }
    return this.#chunk;
  }

  customers(first: number, last: number): Record<Table, Row[]> {
    this.#chunk = emptyChunk();
    for (let id = first; id <= last; id++) this.#customer(String(id));
    return this.#chunk;
  }

  #customer(customerId: string): void {
    const random = this.#random;
    const customer = this.#add(
      'customers',
      makeCustomer(random, customerId, `BC-${customerId.padStart(8, '0')}`),
    );
    const addresses = this.#times(1, 2, () =>
      this.#add('addresses', makeAddress(random, this.#nextId('addresses'), customerId)),
    );
    const methods = this.#times(0, 2, () =>
      this.#add('payment_methods', makePaymentMethod(random, customerId, customer['external_ref'] as string)),
    );
    const pickAddress = (): string => random.pick(addresses)['id'] as string;
    const subscriptions = this.#times(0, 1, () => {
      const code = `SUB-${customerId}-${random.bytes(3).toString('hex')}`;
      const row = makeSubscription(random, code, customerId, random.pick(this.#skus), pickAddress());
      return this.#add('subscriptions', row);
    });
    this.#times(0, 4, () => {
      const orderId = this.#nextId('orders');
      const order = makeOrder(random, orderId, {
        customerId,
        subscriptionCode: (subscriptions[0]?.['code'] as string | undefined) ?? null,
        paymentToken: methods.length > 0 ? (random.pick(methods)['token'] as string) : null,
        addressId: pickAddress(),
      });
      this.#add('orders', order);
      const lines = random.chance(0.002) ? 300 : random.int(1, 4);
      for (let line = 1; line <= lines; line++) {
        this.#add('order_items', makeOrderItem(random, orderId, line, customerId, random.pick(this.#skus)));
      }
      if (random.chance(0.8)) this.#add('shipments', makeShipment(random, orderId, customerId));
    });
    this.#times(0, 1, () =>
      this.#add('reviews', makeReview(random, this.#nextId('reviews'), customerId, random.pick(this.#skus))),
    );
  }

  #add(table: Table, row: Row): Row {
    const number = ++this.#made[table];
    if (number % largeCanaryEvery === 7) plantCanaries(table, row, `s${number}`, this.#random);
    else if (number % canaryEvery === 3) plantCanaries(table, row, `s${number}`);
    this.#chunk[table].push(row);
    return row;
  }

  #nextId(table: Table): string {
    return String(this.#made[table] + 1);
  }

  #times<T>(min: number, max: number, make: () => T): T[] {
    return Array.from({ length: this.#random.int(min, max) }, make);
  }
}

function emptyChunk(): Record<Table, Row[]> {
  return {
    customers: [],
    addresses: [],
    payment_methods: [],
    products: [],
    subscriptions: [],
    orders: [],
    order_items: [],
    shipments: [],
    reviews: [],
  };
}

/** Identity columns go on after the sample's ids; and a few numbers that no JavaScript number holds. */
async function finish(client: ClientBase): Promise<void> {
  for (const table of ['customers', 'addresses', 'orders', 'reviews']) {
    await client.query(
      `SELECT setval(pg_get_serial_sequence('${table}', 'id'), (SELECT coalesce(max(id), 1) FROM ${table}))`,
    );
  }
  await client.query(
    `UPDATE products SET attributes = attributes || '{"lot": 12345678901234567890.12345}' WHERE barcode % 5 = 0`,
  );
  await client.query(`ANALYZE ${tables.join(', ')}`);
}
