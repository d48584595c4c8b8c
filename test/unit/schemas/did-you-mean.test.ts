import { expect, test } from 'vitest';
import { nearest } from '../../../schemas/did-you-mean.ts';

test.each([
  ['encrpyt', ['keep', 'encrypt'], 'encrypt'],
  ['Email', ['email', 'name'], 'email'],
  ['clasification', ['action', 'classification'], 'classification'],
  ['kep', ['keep', 'drop'], 'keep'],
  ['shipment', ['id', 'owner'], undefined],
  ['x', ['keep'], undefined],
  ['x', [], undefined],
])('%s among %j means %s', (word, options, expected) => {
  expect(nearest(word, options)).toBe(expected);
});
