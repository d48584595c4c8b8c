import { expect, test } from 'vitest';
import { authenticate, type SaslOptions } from '../../../verify/kafka/sasl.ts';

// The exchange that RFC 7677 gives for SCRAM-SHA-256.
const options: SaslOptions = { mechanism: 'scram-sha-256', username: 'user', password: 'pencil' };
const nonce = 'rOprNGfwEbeRWgbNEkqO';
const serverFirst = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';
const serverFinal = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

async function exchanged(answers: readonly string[], given = options): Promise<string[]> {
  const sent: string[] = [];
  await authenticate(
    given,
    (message) => {
      sent.push(message.toString('utf8'));
      return Promise.resolve(Buffer.from(answers[sent.length - 1] ?? ''));
    },
    nonce,
  );
  return sent;
}

test('SCRAM says what the RFC says', async () => {
  expect(await exchanged([serverFirst, serverFinal])).toEqual([
    'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  ]);
});

test.each([
  ['another nonce', serverFirst.replace('rOpr', 'xOpr'), serverFinal],
  ['too few rounds', serverFirst.replace('i=4096', 'i=1'), serverFinal],
  ["a server that does not know the user's key", serverFirst, serverFinal.replace('6rri', '7rri')],
  ['a refusal', serverFirst, 'e=invalid-proof'],
])('SCRAM stops at %s', async (_what, first, final) => {
  await expect(exchanged([first, final])).rejects.toThrow('did not complete the SASL login');
});

test('PLAIN sends name and password once', async () => {
  expect(await exchanged([''], { ...options, mechanism: 'plain' })).toEqual(['\0user\0pencil']);
});
