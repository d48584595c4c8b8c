import type { Command } from 'commander';
import { approveRequests } from '../../erasure/approvals.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { acted } from '../acted.ts';
import { print, type RequestCommandFlags, requestCommandOf } from './request-command.ts';
import { describeRequest, waitingText } from './show-request.ts';

/** `lethe erase approve`: somebody else than who filed a request agrees to it; with the last of them it may be carried out. */
export function approveCommand(): Command {
  return requestCommandOf(
    'approve',
    'agree to requests that somebody else has filed: to all of them, or none',
  )
    .argument('<request...>')
    .action(async (ids: readonly string[], flags: RequestCommandFlags) => {
      const requests = await acted(flags, 'erase:approve', (config, by) =>
        withKeyStore(config, (client) => approveRequests(client, ids, by)),
      );
      print(flags, { requests: requests.map((request) => describeRequest(request)) }, () =>
        requests
          .map((request) => {
            const waits = waitingText(request);
            return (
              waits ??
              `request ${request.id} is approved: \`lethe serve\` or \`lethe erase resume\` does it\n`
            );
          })
          .join(''),
      );
    });
}
