import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { associatedData, decrypt } from '../../../keys/ciphertext.ts';
import { rootBytes } from '../../../keys/subject-key.ts';
import type { ColumnRule, PathRule } from '../../../schemas/column-rule.ts';
import { keyUse } from '../../../schemas/key-use.ts';
import { pathConflicts } from '../../../schemas/json-path.ts';
import { compilePathMap } from '../../../transforms/path-map.ts';
import { canonicalJson, parseJson } from '../../../verify/json.ts';
import { replacedAt, ruledPaths } from '../../../verify/rules/path-map.ts';
import { compileProtect, opened } from '../../../verify/rules/protect-column.ts';
import { sharedKey, sharedRoot, testCipher, testSubjectKey } from '../../support/test-keys.ts';

const dataKey = testSubjectKey();
const row = { dataKey, names: ['Zoë Park'] };
const classification = 'internal' as const;
const use = keyUse('encrypt', 'public.t', classification);

function mapOf(paths: Record<string, PathRule>) {
  const rule: ColumnRule & { action: 'paths' } = { classification, action: 'paths', paths };
  const column = { name: 'doc', rule, source: 'json', clean: 'json', nullable: true } as const;
  return compilePathMap(
    {
      table: 'public.t',
      column,
      hasSubject: true,
      keys: sharedKey,
      cipher: testCipher,
    },
    rule,
  );
}

/** What the engine lets pass, what it encrypted opened by hand. */
function passed(paths: Record<string, PathRule>, text: string): string {
  const found = parseJson(mapOf(paths)(text, row) ?? 'null');
  return canonicalJson(
    replacedAt(found, ruledPaths(paths), (sealed, { path }) => {
      const place = associatedData('public.t', `doc#${path}`);
      const plain = decrypt(dataKey, use, place, Buffer.from(sealed as string, 'base64'));
      return opened(parseJson(plain!.toString('utf8')));
    }),
  );
}

function expected(paths: Record<string, PathRule>, text: string): string {
  const rule = { classification, action: 'paths', paths } as const;
  return compileProtect(
    'public.t',
    { name: 'doc', kind: 'json', rule, fractionDigits: 6, isKey: false },
    { shared: () => sharedRoot, own: () => dataKey.roots.subarray(rootBytes) },
  )(text, { names: row.names, subject: '42' });
}

const names = ['a', 'b', 'c', 'name', '__proto__', 'constructor', 'ü', 'odd key', 'x.y', 'q"q', ''];
const key = fc.constantFrom(...names);
const scalar = fc.oneof(
  fc.constantFrom(
    'null',
    'true',
    'false',
    '0',
    '-12.50',
    '1e3',
    '1.25E-2',
    '12345678901234567890',
    '"10.1.2.3"',
  ),
  fc.constantFrom(
    '"1987-05-06"',
    '"1987-05-06T10:00:00Z"',
    '"not a date"',
    '"call zoe, +49 30 1234567"',
    '4111111111111111',
    '"\\u0041\\n\\"x"',
  ),
  fc.string({ unit: 'grapheme', maxLength: 8 }).map((t) => JSON.stringify(t)),
);
const space = fc.constantFrom('', ' ', '\n\t');
/** JSON as a text, so that its spaces and numbers are as a person may write them. */
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc
      .tuple(space, fc.uniqueArray(fc.tuple(key, tie('json')), { selector: ([k]) => k, maxLength: 5 }))
      .map(
        ([s, all]) => `{${s}${all.map(([k, v]) => `${JSON.stringify(k)}${s}:${s}${v}`).join(`${s},`)}${s}}`,
      ),
    fc.tuple(space, fc.array(tie('json'), { maxLength: 4 })).map(([s, all]) => `[${s}${all.join(`,${s}`)}]`),
  ),
}));

const rules: PathRule[] = [
  { action: 'keep' },
  { action: 'drop' },
  { action: 'null' },
  { action: 'mask', keepStart: 1, keepEnd: 1 },
  { action: 'truncate', keep: 2 },
  { action: 'generalise', to: 10 },
  { action: 'generalise', to: 0.5 },
  { action: 'generalise', to: 'month' },
  { action: 'generalise', to: 'network' },
  { action: 'hash' },
  { action: 'hash', domain: 'people' },
  { action: 'tokenise' },
  { action: 'redact' },
  { action: 'redact', kinds: ['email', 'name'] },
  { action: 'encrypt' },
];
const bare = (name: string) => /^[^.[\]"*\s]+$/.test(name);
const step = fc.oneof(
  key.map((name) => `.${bare(name) ? name : JSON.stringify(name)}`),
  fc.constantFrom('[]', '[]', '.*'),
);
const path = fc
  .tuple(fc.array(step, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([steps, rest]) => ({ path: (steps.join('') + (rest ? '.**' : '')).replace(/^\./, ''), rest }));
const paths = fc
  .array(fc.tuple(path, fc.constantFrom(...rules)), { minLength: 1, maxLength: 6 })
  .map((all) => Object.fromEntries(all.map(([{ path, rest }, rule]) => [path, rest ? rules[0]! : rule])))
  .filter((all) => {
    const wholes = Object.keys(all).filter((name) => all[name]!.action === 'encrypt');
    return pathConflicts(Object.keys(all), new Set(wholes)).length === 0;
  });

describe('paths into JSON', { timeout: 120_000 }, () => {
  it('let pass what the oracle says, of any document', () => {
    const seed = Number(process.env['FC_SEED'] ?? Date.now() & 0x7fffffff);
    console.log(`seed ${seed}`);
    fc.assert(
      fc.property(paths, json, (all, text) => {
        expect(passed(all, text)).toBe(expected(all, text));
      }),
      { numRuns: Number(process.env['FC_RUNS'] ?? 20_000), seed },
    );
  });

  it('let nothing pass that no path names', () => {
    const document =
      '{"city":"Berlin","street":"Hidden 1","geo":{"lat":52.5,"owner":"Hidden"},"tags":["a",{"b":"Hidden"}]}';
    const all: Record<string, PathRule> = {
      city: { action: 'keep' },
      geo: { action: 'keep' },
      'tags[]': { action: 'keep' },
    };
    expect(mapOf(all)(document, row)).toBe('{"city":"Berlin","tags":["a",null]}');
  });

  it('keep every digit of a number and every key of a subtree under **', () => {
    const document = '{"n": 12345678901234567890.10, "free": {"x": [1, {"y": 2}]}}';
    const all: Record<string, PathRule> = { n: { action: 'keep' }, 'free.**': { action: 'keep' } };
    expect(mapOf(all)(document, row)).toBe('{"n":12345678901234567890.10,"free":{"x": [1, {"y": 2}]}}');
  });

  it('answer what is no JSON with a typed error, at once, however deep it is', () => {
    const all: Record<string, PathRule> = { 'a[].b': { action: 'keep' }, c: { action: 'encrypt' } };
    const map = mapOf(all);
    const deep = `{"x":${'['.repeat(200_000)}${']'.repeat(200_000)},"c":1}`;
    expect(map(deep, row)).toContain('"c":"');
    const valid = '{"a":[{"b":1},{"b":"x"}],"c":{"d":[1,2]},"e":null}';
    const broken = fc.oneof(
      fc.integer({ min: 0, max: valid.length - 1 }).map((n) => valid.slice(0, n)),
      fc
        .tuple(fc.integer({ min: 0, max: valid.length - 1 }), fc.string({ minLength: 1, maxLength: 1 }))
        .map(([at, c]) => valid.slice(0, at) + c + valid.slice(at + 1)),
    );
    fc.assert(
      fc.property(broken, (text) => {
        try {
          map(text, row);
        } catch (error) {
          expect(error).toMatchObject({ code: 'RECORD_MALFORMED' });
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
