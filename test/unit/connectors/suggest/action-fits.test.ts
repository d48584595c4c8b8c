import { describe, expect, it } from 'vitest';
import { classificationOf, type Guess } from '../../../../connectors/suggest/guess.ts';
import { proposeAction } from '../../../../connectors/suggest/propose-action.ts';
import { classifications } from '../../../../schemas/vocabulary.ts';
import { cleanKind } from '../../../../schemas/dataset.ts';
import type { ValueKind } from '../../../../schemas/value-kind.ts';

const guesses: readonly Guess[] = [...classifications, 'unknown', 'confidential', 'moment'];
const kinds: readonly ValueKind[] = [
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'decimal',
  'text',
  'uuid',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'json',
  'bytes',
  'array',
  'composite',
  'list',
];
const harmless = new Set<Guess>(['public', 'internal']);

describe('the proposed action', () => {
  it.each(guesses)(
    'of %s fits every type, keeps only what is harmless and encrypts only with a subject',
    (guess) => {
      for (const kind of kinds) {
        for (const hasSubject of [true, false]) {
          const rule = proposeAction(guess, { kind, hasSubject });
          expect(cleanKind(rule, kind), kind).toBeDefined();
          const isKept = harmless.has(guess) && cleanKind({ ...rule, action: 'keep' }, kind) !== undefined;
          expect(rule.action === 'keep', kind).toBe(isKept);
          expect(rule.classification).toBe(classificationOf(guess));
          if (!hasSubject) expect(rule.action).not.toBe('encrypt');
        }
      }
    },
  );

  it.each([
    ['person.contact', 'text', true, { action: 'encrypt' }],
    ['person.contact', 'text', false, { action: 'drop' }],
    ['credential', 'text', true, { action: 'drop' }],
    ['payment.card', 'text', true, { action: 'drop' }],
    ['person.national-id', 'text', true, { action: 'drop' }],
    ['network.address', 'text', true, { action: 'null' }],
    ['person.birth', 'date', true, { action: 'encrypt' }],
    ['person.birth', 'date', false, { action: 'generalise', to: 'year' }],
    ['location', 'double', true, { action: 'generalise', to: 0.1 }],
    ['content.free-text', 'text', true, { action: 'encrypt' }],
    ['unknown', 'text', true, { action: 'drop' }],
    ['moment', 'timestamptz', true, { action: 'generalise', to: 'day' }],
  ] as const)('of %s as %s (subject: %s) is %j', (guess, kind, hasSubject, rule) => {
    expect(proposeAction(guess, { kind, hasSubject })).toMatchObject(rule);
  });

  it('of a place without decimals has a width that fits', () => {
    expect(proposeAction('location', { kind: 'decimal', scale: 0, hasSubject: false })).toMatchObject({
      to: 1,
    });
  });

  it('of a type that is not taken is drop', () => {
    for (const guess of guesses) {
      expect(proposeAction(guess, { kind: undefined, hasSubject: true }).action).toBe('drop');
    }
  });
});
