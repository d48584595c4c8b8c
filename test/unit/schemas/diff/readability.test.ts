import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ColumnRule, PathRule } from '../../../../schemas/column-rule.ts';
import type { Contract } from '../../../../schemas/contract.ts';
import { contractChanges } from '../../../../schemas/diff/contract-changes.ts';
import { comparePlaces } from '../../../../schemas/diff/places.ts';
import { type Comparison, compareReadability } from '../../../../schemas/diff/readability.ts';
import { LetheError } from '../../../../schemas/errors.ts';
import { pathConflicts } from '../../../../schemas/json-path.ts';
import type { ActionSources } from '../../../../transforms/column-action.ts';
import { compilePathMap } from '../../../../transforms/path-map.ts';
import { compileTextAction } from '../../../../transforms/text-action.ts';
import { sharedKey, testCipher, testSubjectKey } from '../../../support/test-keys.ts';

const classification = 'internal' as const;
const count = fc.integer({ min: 0, max: 6 });
const domain = fc.constantFrom({}, { domain: 'a' }, { domain: 'b' });

/** Records as YAML gives them. */
const plain = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(shape, { noNullPrototype: true });

const someOf = <T extends string>(...all: T[]) => fc.subarray(all, { minLength: 1 });

/** Rules of single values, each action with its options. */
const valueRule: fc.Arbitrary<PathRule> = fc.oneof(
  fc.constantFrom<PathRule>(
    { action: 'keep' },
    { action: 'drop' },
    { action: 'null' },
    { action: 'encrypt' },
  ),
  plain({ action: fc.constant('mask' as const), keepStart: count, keepEnd: count }),
  plain({ action: fc.constant('truncate' as const), keep: fc.integer({ min: 1, max: 6 }) }),
  plain({
    action: fc.constant('generalise' as const),
    to: fc.constantFrom<'year' | 'month' | 'day' | number>('year', 'month', 'day', 10, 25, 100),
  }),
  plain({
    action: fc.constant('generalise' as const),
    to: fc.constant('network' as const),
    v4: fc.integer({ min: 8, max: 31 }),
    v6: fc.integer({ min: 32, max: 64 }),
  }),
  fc.tuple(fc.option(someOf('email', 'card', 'name')), fc.option(someOf('a', 'b'))).map(
    ([kinds, names]): PathRule => ({
      action: 'redact',
      ...(kinds ? { kinds } : {}),
      ...(names ? { names } : {}),
    }),
  ),
  fc
    .tuple(fc.constantFrom('hash' as const, 'tokenise' as const), domain)
    .map(([action, rest]) => ({ action, ...rest })),
  fc
    .tuple(fc.constantFrom('digits' as const, 'lower' as const), domain)
    .map(([alphabet, rest]) => ({ action: 'format-preserving' as const, alphabet, ...rest })),
);

const step = fc.constantFrom('.a', '.b', '.c', '.*', '[]');
const path = fc
  .tuple(fc.array(step, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([steps, takesAll]) => `${steps.join('')}${takesAll ? '.**' : ''}`.replace(/^\./, ''));

/** Paths without conflicts, as a contract that passes its checks has them. */
const paths = fc
  .array(fc.tuple(path, valueRule), { minLength: 1, maxLength: 5 })
  .map((all) =>
    Object.fromEntries(all.map(([at, rule]) => [at, at.endsWith('**') ? { action: 'keep' as const } : rule])),
  )
  .filter((all) => {
    const wholes = new Set(Object.keys(all).filter((at) => all[at]!.action === 'encrypt'));
    return pathConflicts(Object.keys(all), wholes).length === 0;
  });

const columnRule: fc.Arbitrary<ColumnRule> = fc.oneof(
  valueRule.map((rule) => ({ ...rule, classification })),
  paths.map((all) => ({ classification, action: 'paths' as const, paths: all })),
);

/** Two rules that differ in everything, or in one path that comes or goes. */
const twoRules: fc.Arbitrary<readonly [ColumnRule, ColumnRule]> = fc.oneof(
  fc.tuple(columnRule, columnRule),
  fc
    .tuple(
      paths.filter((all) => Object.keys(all).length > 1),
      fc.nat(),
      fc.boolean(),
    )
    .map(([all, which, comes]) => {
      const entries = Object.entries(all);
      const fewer = Object.fromEntries(entries.filter((_, i) => i !== which % entries.length));
      const [from, to] = (comes ? [fewer, all] : [all, fewer]).map((some) => ({
        classification,
        action: 'paths' as const,
        paths: some,
      }));
      return [from!, to!] as const;
    }),
);

function contractOf(x: ColumnRule | undefined): Contract {
  return {
    table: 'public.t',
    owner: 'tests',
    tier: 1,
    subject: { type: 'person', key: 'id' },
    sinks: [],
    staleness: '30s',
    columns: x ? { x } : {},
  };
}

function changesOf(from: ColumnRule | undefined, to: ColumnRule | undefined) {
  return contractChanges([contractOf(from)], [contractOf(to)], { topicOf: (table) => table });
}

describe('the order of readability', () => {
  const maybe = fc.option(valueRule, { nil: undefined });
  const reverse: Readonly<Record<Comparison, Comparison>> = {
    same: 'same',
    less: 'more',
    more: 'less',
    other: 'other',
  };

  it('is an order: of itself a rule says the same, the other way round the contrary, and what it says carries over', () => {
    fc.assert(
      fc.property(maybe, maybe, maybe, (a, b, c) => {
        expect(compareReadability(a, a)).toBe('same');
        expect(compareReadability(b, a)).toBe(reverse[compareReadability(a, b)]);
        const notMore = (from: PathRule | undefined, to: PathRule | undefined): boolean =>
          ['same', 'less'].includes(compareReadability(from, to));
        if (notMore(a, b) && notMore(b, c)) expect(notMore(a, c)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it('holds of the engine: what is less readable can be made of what was readable before', () => {
    const partial = valueRule.filter(
      ({ action }) => action === 'mask' || action === 'truncate' || action === 'keep',
    );
    // Longer than any mask: a shorter value is hidden whole.
    const text = fc.string({ minLength: 13, maxLength: 20, unit: fc.constantFrom('a', 'b', 'é') });
    fc.assert(
      fc.property(
        partial,
        partial,
        fc.uniqueArray(text, { minLength: 2, maxLength: 40 }),
        (from, to, values) => {
          if (compareReadability(from, to) !== 'less') return;
          const made = new Map<string, string>();
          for (const value of values) {
            const [before, after] = [acted(from, value), acted(to, value)];
            expect(made.get(before) ?? after).toBe(after);
            made.set(before, after);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

function acted(rule: PathRule, value: string): string {
  const ruled = { table: 'public.t', column: { name: 'x' }, rule };
  const act = compileTextAction(ruled, { hasSubject: true, keys: sharedKey });
  return act ? act(value, row)! : value;
}

describe('a change of contracts', () => {
  it('from one to itself is none', () => {
    fc.assert(
      fc.property(
        columnRule.map((rule) => structuredClone(rule)),
        (rule) => {
          expect(changesOf(rule, structuredClone(rule))).toEqual([]);
        },
      ),
    );
  });

  it('to another is never silent, and each exposing line names a place of which more can be read', () => {
    fc.assert(
      fc.property(twoRules, ([from, to]) => {
        const changes = changesOf(from, to);
        const grown = comparePlaces(from, to).filter((place) =>
          ['more', 'other'].includes(compareReadability(place.from, place.to)),
        );
        const named = changes.filter(
          ({ severity, sentence }) => severity === 'exposes' && !sentence.includes('joined'),
        );
        expect(named.map((change) => change.path)).toEqual(grown.map((place) => place.path));
        for (const { sentence } of named) expect(sentence).toMatch(/\bx\b/);
        if (!isDeepStrictEqual(from, to)) expect(changes.length).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('that makes the engine show a part of a document that it hid before is told as exposing', () => {
    const leaf = fc.constant('leaf');
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('tree'), { maxKeys: 4 }),
        fc.array(tie('tree'), { maxLength: 2 }),
      ),
    }));
    let found = 0;
    fc.assert(
      fc.property(twoRules, tree, ([from, to], document) => {
        const leaves: string[] = [];
        const text = JSON.stringify(document, (_key, value: unknown) =>
          value === 'leaf' ? `leaf-${leaves.push('') - 1}-` : value,
        );
        const [before, after] = [shown(from, text), shown(to, text)];
        // A row that was a dead letter passes now with all that was readable of the others.
        if (before === undefined || after === undefined) return;
        const won = leaves.some((_, i) => after.includes(`leaf-${i}-`) && !before.includes(`leaf-${i}-`));
        if (!won) return;
        found++;
        expect(changesOf(from, to)).toContainEqual(
          expect.objectContaining({ severity: 'exposes', column: 'x' }),
        );
      }),
      { numRuns: 5_000 },
    );
    expect(found).toBeGreaterThan(100);
  }, 30_000);
});

const row = {
  dataKey: testSubjectKey(),
  names: [],
};

/** What the engine lets pass of a document, as text, in which whole leaves are looked for; undefined for a dead letter. */
function shown(rule: ColumnRule, text: string): string | undefined {
  // No name, number or address is among the leaves: redaction lets them pass.
  if (rule.action === 'keep' || rule.action === 'redact') return text;
  if (rule.action !== 'paths') return '';
  const sources: ActionSources = {
    table: 'public.t',
    column: { name: 'x', rule, source: 'json', clean: 'json', nullable: true },
    hasSubject: true,
    keys: sharedKey,
    cipher: testCipher,
  };
  try {
    return compilePathMap(sources, rule)(text, row) ?? '';
  } catch (error) {
    if (error instanceof LetheError) return undefined;
    throw error;
  }
}
