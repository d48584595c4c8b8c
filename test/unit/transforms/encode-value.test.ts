import { expect, it } from 'vitest';
import { avroType } from '../../../schemas/registry.ts';
import { encodeSourceValue, type SourceValue } from '../../../transforms/encode-value.ts';
import type { RawField } from '../../../transforms/raw-type.ts';

const canary = 'zq7_canary_array';
const arrayOf = (item: unknown): RawField => ({ avro: 'array', item: item as NonNullable<RawField['item']> });

it('an array is written as the raw field would hold it, nulls and all', () => {
  const texts = avroType({ type: 'array', items: ['null', 'string'] });
  const bytes = encodeSourceValue(arrayOf(['null', 'string']), ['a', null, '']);
  expect(texts.fromBuffer(bytes!)).toEqual(texts.clone(['a', null, ''], { wrapUnions: false }));
  const numbers = avroType({ type: 'array', items: 'int' });
  expect(numbers.fromBuffer(encodeSourceValue(arrayOf('int'), ['1', '-2'])!)).toEqual([1, -2]);
  expect(encodeSourceValue(arrayOf('int'), null)).toBeNull();
});

it.each([
  ['of several dimensions', arrayOf(['null', 'string']), [[canary], [canary]]],
  ['of several dimensions', arrayOf('int'), [[canary], [canary]]],
  ['holds null', arrayOf('string'), [null]],
  ['holds no integers', arrayOf('int'), [canary]],
  ['has another type', arrayOf('string'), canary],
  ['has another type', { avro: 'string' }, Buffer.from(canary)],
])('a value that %s is an outcome with a code, and quotes nothing', (_, field, value) => {
  let thrown: unknown;
  try {
    encodeSourceValue(field, value as unknown as SourceValue);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: 'SCHEMA_UNEXPECTED' });
  expect(String((thrown as Error).stack)).not.toContain(canary);
});
