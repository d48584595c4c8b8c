import { describe, expect, it } from 'vitest';
import { LetheError } from '../../../schemas/errors.ts';
import { deadLetterCodes, isOfRecord, stoppingCodes } from '../../../schemas/playbooks.ts';
import { rawRecord, transformed } from '../../support/transform-errors.ts';

describe('a failure', () => {
  it.each(stoppingCodes)('%s of a server goes up: it makes no record a dead letter', async (code) => {
    const fails = async (): Promise<never> => {
      throw new LetheError(code, 'a server fails');
    };
    const [schema] = await transformed([rawRecord('x')], { writerSchema: fails });
    expect(schema).toMatchObject({ code, message: 'a server fails' });
    expect(schema).not.toHaveProperty('kind');
    const [keys] = await transformed([rawRecord('x')], {
      protection: { dataKeys: fails, areSuppressed: fails, sharedKey: fails },
    });
    expect(keys).not.toHaveProperty('kind');
    expect(isOfRecord(new LetheError(code, ''))).toBe(false);
  });

  it.each(deadLetterCodes)('%s of a record is its outcome', (code) => {
    expect(isOfRecord(new LetheError(code, ''))).toBe(true);
    expect(isOfRecord(new Error(code))).toBe(false);
  });
});
