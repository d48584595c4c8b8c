import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  childTable,
  pathContracts,
  parentTable,
  PathPartition,
  type Row,
  type SourceChange,
  TestLookups,
} from '../../support/path-partitions.ts';

type Table = Map<bigint, Row>;

/** A database of orders and items that keeps its foreign key, and the changes of both tables as they are streamed. */
class Source {
  readonly orders: Table = new Map();
  readonly items: Table = new Map();
  readonly orderChanges: SourceChange[] = [];
  readonly itemChanges: SourceChange[] = [];
  private lsn = 100n;
  private readonly nullable: boolean;

  constructor(nullable: boolean) {
    this.nullable = nullable;
  }

  /** Any numbers make a change that the source allows. */
  change(what: number, a: number, b: number): void {
    const order = BigInt(1 + (a % 3));
    const item = BigInt(1 + (b % 4));
    const customer = BigInt(1 + ((a + b) % 3));
    const note = `note ${what}`;
    switch (what % 7) {
      case 0:
      case 1:
        return this.put(this.orders, {
          id: order,
          customer_id: customer,
          agreed: [true, true, false, null][b % 4]!,
        });
      case 2:
      case 3:
        if (this.orders.has(order)) this.put(this.items, { id: item, order_id: order, note });
        return;
      case 4:
        if (this.items.has(item)) this.put(this.items, { ...this.items.get(item)!, note });
        return;
      case 5:
        // Without a consent to ask for, an item of no order would be one without a subject.
        if (this.nullable && b % 2 === 0 && this.items.has(item))
          this.put(this.items, { id: item, order_id: null, note });
        else this.delete(this.items, item);
        return;
      default:
        if (![...this.items.values()].some((row) => row['order_id'] === order))
          this.delete(this.orders, order);
    }
  }

  /** Items that the signals ask for, as they are now. */
  reread(keys: ReadonlySet<string>): SourceChange[] {
    return [...this.items]
      .filter(([, row]) => keys.has(String(row['order_id'])))
      .map(([id, row]) => ({ op: 'r', id, row, lsn: this.lsn }));
  }

  /** Whose key each item must be under; those who may not pass are left out. */
  expected(withConsent: boolean): Map<string, string> {
    return new Map(
      [...this.items].flatMap(([id, { order_id: order }]) => {
        const parent = order === null ? undefined : this.orders.get(order as bigint);
        return parent && (parent['agreed'] === true || !withConsent)
          ? [[String(id), String(parent['customer_id'])] as const]
          : [];
      }),
    );
  }

  private put(table: Table, row: Row): void {
    const id = row['id'] as bigint;
    const op = table.has(id) ? 'u' : 'c';
    table.set(id, row);
    this.stream(table, { op, id, row, lsn: (this.lsn += 10n) });
  }

  private delete(table: Table, id: bigint): void {
    if (table.delete(id)) this.stream(table, { op: 'd', id, row: null, lsn: (this.lsn += 10n) });
  }

  private stream(table: Table, change: SourceChange): void {
    (table === this.orders ? this.orderChanges : this.itemChanges).push(change);
  }
}

const changes = fc.array(fc.tuple(fc.nat(1_000), fc.nat(11), fc.nat(11)), {
  minLength: 15,
  maxLength: 60,
  size: 'max',
});
const step = fc.record({
  who: fc.constantFrom('orders', 'items', 'items', 'release', 'restart', 'catch up'),
  size: fc.integer({ min: 1, max: 4 }),
  commits: fc.integer({ min: 0, max: 4 }).map((n) => n > 0),
});

describe('rows and the rows that their paths lead to', { timeout: 120_000 }, () => {
  it.each([true, false])(
    'end the same however their changes interleave (consent: %s)',
    async (withConsent) => {
      let waited = 0;
      await fc.assert(
        fc.asyncProperty(
          changes,
          fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
          async (made, steps) => {
            const source = new Source(withConsent);
            for (const numbers of made) source.change(...numbers);
            const contracts = pathContracts(withConsent);
            const lookups = new TestLookups();
            const orders = new PathPartition(parentTable, contracts, lookups);
            const items = new PathPartition(childTable, contracts, lookups);
            const left = { orders: [...source.orderChanges], items: [...source.itemChanges] };
            const take = async (who: 'orders' | 'items', size: number, commits: boolean) => {
              const some = left[who].slice(0, size);
              await (who === 'orders' ? orders : items).process(some, commits);
              if (commits) left[who].splice(0, size);
            };
            for (const { who, size, commits } of steps) {
              if (who === 'orders' || who === 'items') await take(who, size, commits);
              else if (who === 'release') await items.release(0, commits);
              else if (who === 'restart') items.restart();
              else lookups.catchUp();
              waited += items.parked.size;
            }
            await take('orders', left.orders.length, true);
            await take('items', left.items.length, true);
            lookups.catchUp();
            await items.release(0, true);
            await items.process(source.reread(new Set(orders.signals.flat())), true);
            expect(items.parked.size).toBe(0);
            expect(items.failures).toEqual([]);
            expect(items.subjects()).toEqual(source.expected(withConsent));
          },
        ),
        { numRuns: Number(process.env['FC_RUNS'] ?? 200) },
      );
      expect(waited).toBeGreaterThan(0);
    },
  );
});
