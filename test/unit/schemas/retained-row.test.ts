import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ruleOn } from '../../../pipeline/contract-rule.ts';
import { deriveDataset } from '../../../schemas/dataset.ts';
import { drawnKey, isRetained, madeUnder, retainedContract } from '../../../schemas/retained-row.ts';
import { columnOf, contractOf, tableOf } from '../../support/contract-fixture.ts';

const types = ['int4', 'int8', 'uuid', 'text'] as const;
const table = tableOf({
  table: 'public.lines',
  columns: [
    ...types.map((type) => columnOf(`k_${type}`, type, { nullable: false })),
    columnOf('owner', 'int8', { nullable: false }),
    columnOf('total', 'int8', { nullable: false }),
    columnOf('note', 'text', { nullable: false }),
  ],
  primaryKey: types.map((type) => `k_${type}`),
});
const contract = (extra = '') =>
  contractOf(`table: public.lines
owner: o
tier: 1
subject: { type: customer, key: owner }
${extra}sinks: []
staleness: 30s
columns:
${[...types.map((type) => `k_${type}`), 'owner', 'total', 'note']
  .map((name) => `  ${name}: { classification: internal, action: keep }`)
  .join('\n')}
`).contract;
const retain = 'erasure: { retain: { columns: [total], basis: law, for: 10y } }\n';
const dataset = deriveDataset(contract(retain), table);

describe('a row that is kept by law', () => {
  it('has a key of the types of its table, which the secret alone leads to', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.string(),
        fc.nat(99),
        (bytes, key, attempt) => {
          const secret = Buffer.from(bytes);
          const parts = drawnKey(dataset, secret, key, attempt);
          const [int, long, uuid, text] = parts as [string, string, string, string];
          expect(Number(int)).toBeGreaterThanOrEqual(-(2 ** 31));
          expect(Number(int)).toBeLessThan(0);
          expect(BigInt(long)).toBeGreaterThanOrEqual(-(1n << 63n));
          expect(BigInt(long)).toBeLessThan(0n);
          expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
          expect(text).toMatch(/^[\w-]{22}$/);
          expect(drawnKey(dataset, secret, key, attempt)).toEqual(parts);
          expect(drawnKey(dataset, secret, key, attempt + 1)).not.toEqual(parts);
          expect(drawnKey(dataset, secret, `${key}.`, attempt)).not.toEqual(parts);
          secret[0]! ^= 1;
          expect(drawnKey(dataset, secret, key, attempt)).not.toEqual(parts);
        },
      ),
    );
  });

  it('has nothing but its key and what is kept: every other column can be null', () => {
    const nullable = (own: typeof dataset) =>
      own.columns.filter((column) => column.nullable).map(({ name }) => name);
    expect(nullable(dataset)).toEqual(['owner', 'note']);
    expect(nullable(deriveDataset(contract(), table))).toEqual([]);
  });

  it('is ruled on as what the contract that it was made under has made', () => {
    const history = [
      { digest: 'a', generation: 1 },
      { digest: 'b', generation: 1 },
      { digest: 'c', generation: 2 },
    ];
    const of = (made: string) => ({ contract: retainedContract(made), row: {} });
    expect(ruleOn(history, 'b', of('a'))).toBe('write');
    expect(ruleOn(history, 'c', of('c'))).toBe('write');
    // Its values were never seen by the stricter contract that the store was built for.
    expect(ruleOn(history, 'c', of('a'))).toBe('leave');
    expect(ruleOn(history, 'a', of('b'))).toBe('outdated');
    expect([
      isRetained(retainedContract('a')),
      isRetained('a'),
      madeUnder(retainedContract('a')),
      madeUnder('a'),
    ]).toEqual([true, false, 'a', 'a']);
  });
});
