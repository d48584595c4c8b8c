import { basename, dirname } from 'node:path';
import { Command } from 'commander';
import { readCertificate } from '../erasure/certificate-store.ts';
import { certificateDocumentShape } from '../erasure/certificate-document.ts';
import { certificateHtml } from '../erasure/certificate-html.ts';
import { noticesOf } from '../erasure/notices.ts';
import {
  cancelRequest,
  findRequest,
  listRequests,
  noSuchRequest,
  requestsAlong,
} from '../erasure/requests.ts';
import { actingPrincipal } from '../keys/access/acting-principal.ts';
import { withKeyStore } from '../keys/key-store-client.ts';
import { openKeyStore } from '../keys/open-key-store.ts';
import { anchorKeys, requireAnchored } from './anchored-keys.ts';
import { certificateKeyCommand } from './erase/certificate-key.ts';
import { requireType } from './erase/context.ts';
import { acknowledgeCommand } from './erase/acknowledge.ts';
import { approveCommand } from './erase/approve-command.ts';
import { batchCommand } from './erase/batch.ts';
import { carryOut } from './erase/carry-out.ts';
import { extendCommand, refuseCommand } from './erase/deadline-commands.ts';
import { fileErasure } from './erase/file-request.ts';
import { holdCommand, releaseCommand } from './erase/hold-commands.ts';
import { planErasure, renderPlan } from './erase/plan-erasure.ts';
import {
  parseRequestId,
  parseText,
  parseTime,
  print,
  type RequestCommandFlags,
  requestCommandOf,
} from './erase/request-command.ts';
import { describeRequest, renderRequest, renderRequests } from './erase/show-request.ts';
import { retainedCommand } from './erase/retained-command.ts';
import { withdraw } from './erase/withdraw.ts';
import { verifyCertificateCommand } from './erase/verify-certificate.ts';
import { keysConfig } from './keys-config.ts';
import { everyIdOf } from './linked.ts';
import { permitted } from './permitted.ts';
import { openProject } from './project.ts';
import { writeInto } from './write-file.ts';
import { parseSubject, type Subject } from './subject.ts';

interface RequestFlags extends RequestCommandFlags {
  readonly subject: Subject;
  readonly reason: string;
  readonly requestId?: string;
  readonly received?: Date;
  readonly identity?: string;
  readonly dryRun?: true;
  readonly log: readonly string[];
}

/** `lethe erase`: forget a person everywhere, and prove it. */
export function eraseCommand(): Command {
  return new Command('erase')
    .description('forget a person everywhere: keys, topics, stores; look whether it is so; certify it')
    .addCommand(requestCommand(), { isDefault: true })
    .addCommand(statusCommand())
    .addCommand(listCommand())
    .addCommand(batchCommand())
    .addCommand(approveCommand())
    .addCommand(resumeCommand())
    .addCommand(extendCommand())
    .addCommand(refuseCommand())
    .addCommand(cancelCommand())
    .addCommand(holdCommand())
    .addCommand(releaseCommand())
    .addCommand(acknowledgeCommand())
    .addCommand(retainedCommand())
    .addCommand(certificateCommand())
    .addCommand(verifyCertificateCommand())
    .addCommand(certificateKeyCommand());
}

function requestCommand(): Command {
  return requestCommandOf(
    'request',
    'file a request and carry it out; the same --request-id again goes on with it',
  )
    .requiredOption(
      '--subject <type:id>',
      'whom, as the contracts call them: customer:42; - reads it from stdin',
      parseSubject,
    )
    .requiredOption('--reason <text>', 'why; stands in the clear: no personal data', parseText)
    .option('--request-id <id>', 'name of the request; drawn by lot if left out', parseRequestId)
    .option('--received <time>', 'when the person asked, ISO 8601; now if left out', parseTime)
    .option('--identity <ref>', 'what the check of who asks is filed under; no personal data', parseText)
    .option('--dry-run', 'show what would be done; nothing is changed')
    .option('--log <path>', 'log file, or folder of them, to be looked through too', collect, [])
    .action(async (flags: RequestFlags) => {
      const project = await openProject(flags.config);
      const { config } = project;
      requireType(project, flags.subject.type);
      await requireAnchored(config);
      await permitted(config, 'erase:request');
      const keys = openKeyStore(config);
      try {
        if (flags.dryRun) {
          const planned = await planErasure(project, keys, await everyIdOf(config, keys, flags.subject));
          return print(flags, planned, () => renderPlan(planned));
        }
        const { subject, reason, requestId, received, identity } = flags;
        const filing = {
          subject,
          reason,
          ...(requestId === undefined ? {} : { requestId }),
          ...(received === undefined ? {} : { receivedAt: received }),
          ...(identity === undefined ? {} : { identity }),
        };
        const [{ id }] = await fileErasure(project, keys, filing, actingPrincipal());
        // Also those of ids that are forgotten by now: the same request goes on with all.
        const ids = await withKeyStore(config, (client) => requestsAlong(client, id));
        await carryOut(flags, new Set(ids), flags.log);
      } finally {
        await keys.close();
      }
    });
}

function statusCommand(): Command {
  return requestCommandOf('status', 'how far a request is, and what each step did')
    .argument('<request>')
    .action(async (id: string, flags: RequestCommandFlags) => {
      const config = await keysConfig(flags.config);
      await permitted(config, 'erase:read');
      const { request, notices } = await withKeyStore(config, async (client) => ({
        request: await findRequest(client, id),
        notices: await noticesOf(client, [id]),
      }));
      if (!request) throw noSuchRequest(id);
      print(flags, describeRequest(request, notices), () => renderRequest(request, notices));
    });
}

function listCommand(): Command {
  return requestCommandOf('list', 'all requests, the one whose deadline comes first in front').action(
    async (flags: RequestCommandFlags) => {
      const config = await keysConfig(flags.config);
      await permitted(config, 'erase:read');
      const requests = await withKeyStore(config, (client) => listRequests(client));
      print(flags, { requests: requests.map((request) => describeRequest(request)) }, () =>
        renderRequests(requests),
      );
    },
  );
}

function resumeCommand(): Command {
  return requestCommandOf(
    'resume',
    'go on with a request, also one that needs a person; with all that are open if none is named',
  )
    .argument('[request]')
    .option('--log <path>', 'log file, or folder of them, to be looked through too', collect, [])
    .action(
      async (id: string | undefined, flags: RequestCommandFlags & { readonly log: readonly string[] }) => {
        const config = await keysConfig(flags.config);
        await requireAnchored(config);
        await permitted(config, 'erase:request');
        const ids = id === undefined ? [] : await withKeyStore(config, (client) => requestsAlong(client, id));
        if (id !== undefined && ids.length === 0) throw noSuchRequest(id);
        await carryOut(flags, id === undefined ? undefined : new Set(ids), flags.log);
      },
    );
}

function cancelCommand(): Command {
  return requestCommandOf('cancel', 'take a request back, as long as the key is there')
    .argument('<request>')
    .action(async (id: string, flags: RequestCommandFlags) => {
      const config = await keysConfig(flags.config);
      await requireAnchored(config);
      await permitted(config, 'erase:request');
      await withdraw(
        config,
        () => openProject(flags.config),
        id,
        (client, one) => cancelRequest(client, one, actingPrincipal()),
      );
      await anchorKeys(config);
      print(flags, { request: id, state: 'cancelled' }, () => `request ${id} is cancelled\n`);
    });
}

function certificateCommand(): Command {
  return requestCommandOf('certificate', 'the certificate of a request that is done')
    .argument('<request>')
    .option('--out <file>', 'write it there instead of printing it; with .html as a page for people')
    .action(async (id: string, flags: RequestCommandFlags & { readonly out?: string }) => {
      const config = await keysConfig(flags.config);
      await permitted(config, 'erase:read');
      const stored = await withKeyStore(config, (client) => readCertificate(client, id));
      if (!stored) throw noSuchRequest(id);
      if (flags.out === undefined) return void process.stdout.write(stored.document);
      const isPage = flags.out.endsWith('.html');
      const text = isPage
        ? certificateHtml(certificateDocumentShape.parse(JSON.parse(stored.document)))
        : stored.document;
      process.stdout.write(`${await writeInto(dirname(flags.out), basename(flags.out), text)}\n`);
    });
}

function collect(path: string, before: readonly string[]): string[] {
  return [...before, path];
}
