import { randomUUID } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { readCertificate } from '../erasure/certificate-store.ts';
import { certificateDocumentShape } from '../erasure/certificate-document.ts';
import { certificateHtml } from '../erasure/certificate-html.ts';
import { deadlineOf } from '../erasure/deadline.ts';
import { forgetRequests } from '../erasure/forget-requests.ts';
import { newInventory, sealInventory } from '../erasure/inventory.ts';
import { cancelRequest, fileRequest, findRequest, listRequests, noSuchRequest } from '../erasure/requests.ts';
import { actingPrincipal } from '../keys/access/acting-principal.ts';
import { withKeyStore } from '../keys/key-store-client.ts';
import { openKeyStore } from '../keys/open-key-store.ts';
import { anchorKeys, requireAnchored } from './anchored-keys.ts';
import { certificateKeyCommand } from './erase/certificate-key.ts';
import { requireType } from './erase/context.ts';
import { planErasure, renderPlan } from './erase/plan-erasure.ts';
import { runRequests } from './erase/run-requests.ts';
import { describeRequest, renderRequest, renderRequests } from './erase/show-request.ts';
import { verifyCertificateCommand } from './erase/verify-certificate.ts';
import { keysConfig } from './keys-config.ts';
import { permitted } from './permitted.ts';
import { openProject } from './project.ts';
import { writeInto } from './write-file.ts';
import { parseSubject, type Subject } from './subject.ts';

interface Flags {
  readonly config: string;
  readonly json?: true;
}

interface RequestFlags extends Flags {
  readonly subject: Subject;
  readonly reason: string;
  readonly requestId?: string;
  readonly received?: Date;
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
    .addCommand(resumeCommand())
    .addCommand(cancelCommand())
    .addCommand(certificateCommand())
    .addCommand(verifyCertificateCommand())
    .addCommand(certificateKeyCommand());
}

function requestCommand(): Command {
  return common('request', 'file a request and carry it out; the same --request-id again goes on with it')
    .requiredOption(
      '--subject <type:id>',
      'whom, as the contracts call them: customer:42; - reads it from stdin',
      parseSubject,
    )
    .requiredOption('--reason <text>', 'why; stands in the clear: no personal data')
    .option('--request-id <id>', 'name of the request; drawn by lot if left out', parseRequestId)
    .option('--received <time>', 'when the person asked, ISO 8601; now if left out', parseTime)
    .option('--dry-run', 'show what would be done; nothing is changed')
    .option('--log <path>', 'log file, or folder of them, to be looked through too', collect, [])
    .action(async (flags: RequestFlags) => {
      const project = await openProject(flags.config);
      const { config } = project;
      const { type, id } = flags.subject;
      await permitted(config, 'erase:request');
      requireType(project, type);
      await requireAnchored(config);
      const keys = openKeyStore(config);
      try {
        if (flags.dryRun) {
          const planned = await planErasure(project, keys, flags.subject);
          return print(flags, planned, () => renderPlan(planned));
        }
        const request = flags.requestId ?? randomUUID();
        const receivedAt = flags.received ?? new Date();
        const digest = await keys.subjectDigest({ type }, id);
        const sealed = await sealInventory(keys, request, newInventory(type, id));
        await withKeyStore(config, (client) =>
          fileRequest(client, {
            id: request,
            subject: { type, digest },
            reason: flags.reason,
            requestedBy: actingPrincipal(),
            receivedAt,
            deadline: deadlineOf(receivedAt),
            sealed,
          }),
        );
        await carryOut(flags, new Set([request]), flags.log);
      } finally {
        await keys.close();
      }
    });
}

/** Carries requests out, says where they stand, and fails where one is not done. */
async function carryOut(
  flags: Flags,
  only: ReadonlySet<string> | undefined,
  logs: readonly string[],
): Promise<void> {
  const requests = await runRequests(await openProject(flags.config), { ...(only ? { only } : {}), logs });
  const described = requests.map(describeRequest);
  const one = only?.size === 1 ? requests[0] : undefined;
  print(flags, one ? described[0]! : { requests: described }, () =>
    one ? renderRequest(one) : renderRequests(requests),
  );
  if (requests.some(({ state }) => state === 'open' || state === 'needs-person')) process.exitCode = 1;
}

function statusCommand(): Command {
  return common('status', 'how far a request is, and what each step did')
    .argument('<request>')
    .action(async (id: string, flags: Flags) => {
      const config = await keysConfig(flags.config);
      await permitted(config, 'erase:read');
      const request = await withKeyStore(config, (client) => findRequest(client, id));
      if (!request) throw noSuchRequest(id);
      print(flags, describeRequest(request), () => renderRequest(request));
    });
}

function listCommand(): Command {
  return common('list', 'all requests, the one whose deadline comes first in front').action(
    async (flags: Flags) => {
      const config = await keysConfig(flags.config);
      await permitted(config, 'erase:read');
      const requests = await withKeyStore(config, (client) => listRequests(client));
      print(flags, { requests: requests.map(describeRequest) }, () => renderRequests(requests));
    },
  );
}

function resumeCommand(): Command {
  return common(
    'resume',
    'go on with a request, also one that needs a person; with all that are open if none is named',
  )
    .argument('[request]')
    .option('--log <path>', 'log file, or folder of them, to be looked through too', collect, [])
    .action(async (id: string | undefined, flags: Flags & { readonly log: readonly string[] }) => {
      const config = await keysConfig(flags.config);
      await permitted(config, 'erase:request');
      await requireAnchored(config);
      if (id !== undefined && !(await withKeyStore(config, (client) => findRequest(client, id))))
        throw noSuchRequest(id);
      await carryOut(flags, id === undefined ? undefined : new Set([id]), flags.log);
    });
}

function cancelCommand(): Command {
  return common('cancel', 'take a request back, as long as the key is there')
    .argument('<request>')
    .action(async (id: string, flags: Flags) => {
      const config = await keysConfig(flags.config);
      await permitted(config, 'erase:request');
      await requireAnchored(config);
      await withKeyStore(config, (client) => cancelRequest(client, id, actingPrincipal()));
      await forgetRequests(config);
      await anchorKeys(config);
      print(flags, { request: id, state: 'cancelled' }, () => `request ${id} is cancelled\n`);
    });
}

function certificateCommand(): Command {
  return common('certificate', 'the certificate of a request that is done')
    .argument('<request>')
    .option('--out <file>', 'write it there instead of printing it; with .html as a page for people')
    .action(async (id: string, flags: Flags & { readonly out?: string }) => {
      const stored = await withKeyStore(await keysConfig(flags.config), (client) =>
        readCertificate(client, id),
      );
      if (!stored) throw noSuchRequest(id);
      if (flags.out === undefined) return void process.stdout.write(stored.document);
      const isPage = flags.out.endsWith('.html');
      const text = isPage
        ? certificateHtml(certificateDocumentShape.parse(JSON.parse(stored.document)))
        : stored.document;
      process.stdout.write(`${await writeInto(dirname(flags.out), basename(flags.out), text)}\n`);
    });
}

function common(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON');
}

function print({ json }: Flags, value: object, text: () => string): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : text());
}

function collect(path: string, before: readonly string[]): string[] {
  return [...before, path];
}

function parseRequestId(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(text)) return text;
  throw new InvalidArgumentError('Write letters, digits, dots, - and _; and nothing personal.');
}

function parseTime(text: string): Date {
  const time = new Date(text);
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(time.getTime()) && time.getTime() <= Date.now())
    return time;
  throw new InvalidArgumentError('Write a time that is past: 2026-01-31 or 2026-01-31T09:30:00Z.');
}
