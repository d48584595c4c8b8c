import { describe, expect, it } from 'vitest';
import type { ColumnRule } from '../../../schemas/column-rule.ts';
import { recordKeyRule } from '../../../schemas/record-key-rule.ts';
import { testDataset } from '../../support/sink-datasets.ts';

const keep: ColumnRule = { classification: 'internal', action: 'keep' };
const of = (type: string, action: ColumnRule, key = ['id']) =>
  recordKeyRule(
    testDataset('public.t', key, [
      { name: 'id', type, action },
      { name: 'other', type: 'text' },
    ]),
  );

describe('what a record’s key is made of', () => {
  it('stays the same where the key’s text does', () => {
    expect(of('int8', keep)).toEqual(of('int4', keep));
    expect(of('int4', { ...keep, classification: 'person.id', sinks: ['clickhouse'] })).toEqual(
      of('int4', keep),
    );
  });

  it.each<[string, readonly string[]]>([
    ['another action', of('text', { ...keep, action: 'hash' })],
    ['another domain', of('text', { ...keep, action: 'hash', domain: 'people' })],
    ['a token', of('text', { ...keep, action: 'tokenise' })],
    ['another alphabet', of('text', { ...keep, action: 'format-preserving', alphabet: 'lower' })],
    ['another kind', of('uuid', keep)],
    ['another column', of('text', keep, ['other'])],
    ['more columns', of('text', keep, ['id', 'other'])],
    ['another order', of('text', keep, ['other', 'id'])],
  ])('differs by %s', (_case, rule) => {
    expect(rule).not.toEqual(of('text', keep));
    expect(of('text', { ...keep, action: 'hash' })).not.toEqual(
      of('text', { ...keep, action: 'hash', domain: 'people' }),
    );
  });
});
