import { LetheError } from '../../schemas/errors.ts';

/**
 * Why somebody is refused, as the audit has it, and what he is told. Who has not proved who he is hears the same whatever is wrong: he
 * cannot ask which tokens there are.
 */
export const refusals = {
  'no-token': 'it takes a token',
  malformed: 'the token is not accepted',
  unknown: 'the token is not accepted',
  'wrong-secret': 'the token is not accepted',
  signature: 'the token is not accepted',
  claims: 'the token is not accepted',
  expired: 'the token has expired',
  revoked: 'the token was revoked',
  disabled: 'the principal was disabled',
  role: 'the role may not do this',
  grant: 'there is no grant for this table and classification',
  'own-request': 'nobody approves what he asked for himself',
  'approved-before': 'it takes two who are not the same',
  'newer-than-request': 'who approves must have been there before it was asked for',
  'not-waiting': 'it waits for no approval, or not any more',
  recipient: 'a notice is acknowledged by its recipient, or by compliance for him',
} as const;
export type Refusal = keyof typeof refusals;

const fixes: Partial<Record<Refusal, string>> = {
  'no-token':
    'Set LETHE_TOKEN to one that `lethe access token` made, or that your identity provider gave you.',
  role: 'Ask somebody with the right role; or break the glass: `lethe glass ask`.',
  grant: 'Ask for a grant: `lethe access grant`; or break the glass: `lethe glass ask`.',
};

/** ACCESS_REFUSED; `detail` holds what the audit is told: why, and of whom, as far as he has proved who he is. */
export function refused(
  why: Refusal,
  principal = 'unknown',
  detail: Readonly<Record<string, string>> = {},
): LetheError {
  const fix = fixes[why];
  return new LetheError('ACCESS_REFUSED', refusals[why], {
    ...(fix === undefined ? {} : { fix }),
    detail: { ...detail, why, principal },
  });
}

/** CONFIG_INVALID: what is asked for makes no sense, whoever asks. Both texts hold names alone. */
export function senseless(what: string, fix: string): LetheError {
  return new LetheError('CONFIG_INVALID', what, { fix });
}
