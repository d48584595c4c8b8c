import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { erasureOrder, type OrderEdge } from '../../../connectors/postgres/erasure-order.ts';

const edge = (before: string, after: string, rest: Partial<OrderEdge> = {}): OrderEdge => ({
  before,
  after,
  constraint: `${before}_${after}`,
  otherwise: 'hard',
  nullable: [],
  ...rest,
});
const names = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const none = { deferred: [], cut: [], circle: [] };

describe('tables are done', () => {
  it('as they stand, where nothing refers to anything, or to itself alone', () => {
    expect(erasureOrder(['b', 'a'], [edge('a', 'a')])).toEqual({ order: ['b', 'a'], ...none });
  });

  it('children first, whatever Postgres would do', () => {
    const edges = [edge('item', 'order'), edge('order', 'customer', { otherwise: 'handled' })];
    expect(erasureOrder(['customer', 'order', 'item'], edges).order).toEqual(['item', 'order', 'customer']);
  });

  it('without looking at tables that are not asked for', () => {
    expect(erasureOrder(['a'], [edge('x', 'a'), edge('a', 'y')]).order).toEqual(['a']);
  });
});

describe('a circle is opened', () => {
  const circle = (rest: Partial<OrderEdge>) => [edge('a', 'b'), edge('b', 'a', rest), edge('c', 'a')];

  it('where Postgres handles it', () => {
    expect(erasureOrder(['a', 'b', 'c'], circle({ otherwise: 'handled' }))).toEqual({
      order: ['c', 'a', 'b'],
      ...none,
    });
  });

  it('where Postgres can look in the end', () => {
    const { order, deferred } = erasureOrder(['a', 'b', 'c'], circle({ otherwise: 'deferrable' }));
    expect({ order, deferred }).toEqual({ order: ['c', 'a', 'b'], deferred: ['b_a'] });
  });

  it('where a column can be null', () => {
    const found = erasureOrder(['a', 'b', 'c'], circle({ nullable: ['x'] }));
    expect(found).toMatchObject({
      order: ['c', 'a', 'b'],
      deferred: [],
      cut: [{ before: 'b', nullable: ['x'] }],
    });
  });

  it('else it is told, without those that only wait for it', () => {
    expect(erasureOrder(['a', 'b', 'c'], circle({}))).toEqual({ ...none, order: [], circle: ['a', 'b'] });
  });
});

test('whatever refers to whatever: all tables once, every edge that was not opened holds', () => {
  const name = fc.constantFrom(...names);
  const anyEdge = fc
    .tuple(name, name, fc.constantFrom('handled', 'deferrable', 'hard'), fc.boolean())
    .map(([before, after, otherwise, nullable]) =>
      edge(before, after, { otherwise, nullable: nullable ? ['x'] : [] }),
    );
  fc.assert(
    fc.property(fc.array(anyEdge, { maxLength: 14 }), (edges) => {
      const tables = [...names];
      const { order, deferred, cut, circle } = erasureOrder(tables, edges);
      if (circle.length > 0) {
        expect(order).toEqual([]);
        return;
      }
      expect([...order].sort()).toEqual(names);
      for (const one of edges) {
        const opened =
          one.before === one.after ||
          one.otherwise === 'handled' ||
          deferred.includes(one.constraint!) ||
          cut.includes(one);
        expect(opened || order.indexOf(one.before) < order.indexOf(one.after)).toBe(true);
      }
    }),
  );
});
