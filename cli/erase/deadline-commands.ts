import type { Command } from 'commander';
import { extendRequest, refuseRequest } from '../../erasure/request-duties.ts';
import { findRequest, noSuchRequest, requestsAlong } from '../../erasure/requests.ts';
import { actingPrincipal } from '../../keys/access/acting-principal.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { anchorKeys, requireAnchored } from '../anchored-keys.ts';
import { keysConfig } from '../keys-config.ts';
import { permitted } from '../permitted.ts';
import { openProject } from '../project.ts';
import { parseText, print, type RequestCommandFlags, requestCommandOf } from './request-command.ts';
import { describeRequest } from './show-request.ts';
import { withdraw } from './withdraw.ts';

/** `lethe erase extend`: two further months, once, before the deadline. */
export function extendCommand(): Command {
  return requestCommandOf('extend', 'put the answer off by two further months: once, before the deadline')
    .argument('<request>')
    .requiredOption('--reason <text>', 'why, as the person is told it; no personal data', parseText)
    .action(async (id: string, flags: RequestCommandFlags & { readonly reason: string }) => {
      const config = await keysConfig(flags.config);
      await requireAnchored(config);
      await permitted(config, 'erase:request');
      const request = await withKeyStore(config, async (client) => {
        const ids = await requestsAlong(client, id);
        for (const one of ids) await extendRequest(client, one, flags.reason, actingPrincipal());
        return (await findRequest(client, id)) ?? Promise.reject(noSuchRequest(id));
      });
      await anchorKeys(config);
      print(
        flags,
        describeRequest(request),
        () =>
          `request ${id} is to be answered until ${request.deadline.toISOString()}: tell the person why\n`,
      );
    });
}

/** `lethe erase refuse`: a request that will not be done, with the ground that the person is told. */
export function refuseCommand(): Command {
  return requestCommandOf('refuse', 'end a request that will not be done, as long as the source is untouched')
    .argument('<request>')
    .requiredOption('--ground <text>', 'why, as the person is told it; no personal data', parseText)
    .action(async (id: string, flags: RequestCommandFlags & { readonly ground: string }) => {
      const config = await keysConfig(flags.config);
      await requireAnchored(config);
      await permitted(config, 'erase:request');
      const request = await withdraw(
        config,
        () => openProject(flags.config),
        id,
        (client, one) => refuseRequest(client, one, flags.ground, actingPrincipal()),
      );
      await anchorKeys(config);
      print(flags, describeRequest(request), () => `request ${id} is refused: tell the person why\n`);
    });
}
