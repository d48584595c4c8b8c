import type { Command } from 'commander';
import { placeHold, releaseHold } from '../../erasure/holds.ts';
import { actingPrincipal } from '../../keys/access/acting-principal.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { subjectDigest } from '../../keys/subject-digest.ts';
import { anchorKeys, requireAnchored } from '../anchored-keys.ts';
import { keysConfig } from '../keys-config.ts';
import { permitted } from '../permitted.ts';
import { parseSubject, type Subject } from '../subject.ts';
import { parseText, print, type RequestCommandFlags, requestCommandOf } from './request-command.ts';

type HoldFlags = RequestCommandFlags & { readonly subject: Subject };

/** `lethe erase hold`: a person's data must be kept, as for a case before a court: no request is carried out. */
export function holdCommand(): Command {
  return withSubject(
    'hold',
    'put a legal hold on a person: no erasure begins, nor destroys the key, while it stands',
  )
    .requiredOption(
      '--basis <text>',
      'law, case or decision; stands in the clear: no personal data',
      parseText,
    )
    .action(async (flags: HoldFlags & { readonly basis: string }) => {
      await change(flags, 'held', (client, ref) => placeHold(client, ref, flags.basis, actingPrincipal()));
    });
}

/** `lethe erase release`: the hold is over; requests that wait for it are resumed by hand. */
export function releaseCommand(): Command {
  return withSubject('release', 'take a legal hold off a person').action(async (flags: HoldFlags) => {
    await change(flags, 'released', (client, ref) => releaseHold(client, ref, actingPrincipal()));
  });
}

function withSubject(name: string, description: string): Command {
  return requestCommandOf(name, description).requiredOption(
    '--subject <type:id>',
    'whom, as the contracts call them: customer:42; - reads it from stdin',
    parseSubject,
  );
}

async function change(
  flags: HoldFlags,
  state: 'held' | 'released',
  work: (client: Parameters<typeof placeHold>[0], ref: Parameters<typeof placeHold>[1]) => Promise<void>,
): Promise<void> {
  const config = await keysConfig(flags.config);
  await requireAnchored(config);
  await permitted(config, 'erase:approve');
  const { type, id } = flags.subject;
  const ref = { type, digest: await subjectDigest(config, { type }, id) };
  await withKeyStore(config, (client) => work(client, ref));
  await anchorKeys(config);
  print(flags, { subjectType: type, state }, () => `${state}\n`);
}
