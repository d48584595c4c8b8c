import type { Command } from 'commander';
import { noticeKey } from '../../erasure/notice.ts';
import { writeNotices } from '../../erasure/notice-topic.ts';
import { acknowledgeNotice, type Notice, requireRecipient } from '../../erasure/notices.ts';
import type { Acting } from '../../keys/access/require-permission.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import type { Config } from '../../schemas/config.ts';
import { acted } from '../acted.ts';
import { parseText, print, type RequestCommandFlags, requestCommandOf } from './request-command.ts';
import { describeNotice } from './show-notices.ts';

/** That a recipient has done his part. */
export interface Acknowledgement {
  readonly request: string;
  readonly recipient: string;
  /** What his answer is filed under; nothing personal. */
  readonly reference?: string | undefined;
}

/**
 * Notes it, and takes the notice out of Kafka: whoever has done his part need not keep it. Done again it takes out what was left by who was cut
 * short. See {@link requireRecipient} and {@link acknowledgeNotice} for what is refused.
 */
export async function acknowledge(
  config: Config,
  { request, recipient, reference }: Acknowledgement,
  by: Pick<Acting, 'name' | 'role'>,
): Promise<Notice> {
  // One that lethe.yaml does not name any more may have been told before.
  requireRecipient(
    by,
    config.erasure.recipients.find(({ name }) => name === recipient) ?? { name: recipient },
  );
  const notice = await withKeyStore(config, (client) =>
    acknowledgeNotice(client, { request, recipient }, reference, by.name),
  );
  const keys = Array.from({ length: notice.parts }, (_, i) => noticeKey(request, recipient, i + 1));
  await writeNotices(
    config,
    keys.map((key) => ({ key, value: null })),
  );
  return notice;
}

/** `lethe erase acknowledge`: a recipient has erased his copies; he says so himself, or compliance for him. */
export function acknowledgeCommand(): Command {
  return requestCommandOf('acknowledge', 'note that a recipient who was told of an erasure has done his part')
    .argument('<request>')
    .requiredOption('--recipient <name>', 'who, as lethe.yaml calls him')
    .option('--reference <ref>', 'what his answer is filed under; no personal data', parseText)
    .action(
      async (
        request: string,
        { recipient, reference, ...flags }: RequestCommandFlags & Omit<Acknowledgement, 'request'>,
      ) => {
        const notice = await acted(flags, 'notice:acknowledge', (config, by) =>
          acknowledge(config, { request, recipient, reference }, by),
        );
        print(
          flags,
          describeNotice(notice),
          () =>
            `${recipient} has acknowledged request ${request} since ${notice.acknowledgedAt!.toISOString()}\n`,
        );
      },
    );
}
