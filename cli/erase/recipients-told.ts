import { erasureNotices, noticeKey } from '../../erasure/notice.ts';
import { type NoticeRecord, writeNotices } from '../../erasure/notice-topic.ts';
import { noteNotices, type Notice, noticesOf } from '../../erasure/notices.ts';
import type { OpenErasure, StepWork } from '../../erasure/runner.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { keyUse } from '../../schemas/key-use.ts';
import type { ErasureContext } from './context.ts';
import { recipientsOf } from './recipients.ts';

const saltUse = keyUse('pseudonym', 'erasure-notice');

/**
 * The step with the recipients told first (GDPR, Articles 17(2) and 19): whoever gets a table with records of the person finds a notice in
 * Kafka. It is written before it is noted, and has the same bytes whenever it is made, under the same key of a compacted topic: whoever is
 * killed between the two says it once more, and says nothing new. What was noted is not written again, since it may be acknowledged by then.
 */
export function tellingRecipients(context: ErasureContext, step: StepWork): StepWork {
  if (context.project.config.erasure.recipients.length === 0) return step;
  return async (erasures, signal) => {
    const told = await tellRecipients(context, erasures);
    const results = await step(erasures, signal);
    return results.map(({ evidence, inventory }, i) => ({
      evidence: { ...evidence, recipientsTold: told.get(erasures[i]!.request.id) ?? 0 },
      inventory,
    }));
  };
}

/** How many recipients of each request were told, now or before. */
async function tellRecipients(
  { project: { config }, keys }: ErasureContext,
  erasures: readonly OpenErasure[],
): Promise<ReadonlyMap<string, number>> {
  const saltKey = await keys.sharedKey(saltUse);
  const ids = erasures.map(({ request }) => request.id);
  const before = await withKeyStore(config, (client) => noticesOf(client, ids));
  const known = new Set(before.map(({ request, recipient }) => `${request}/${recipient}`));
  const sent: Pick<Notice, 'request' | 'recipient' | 'tables' | 'records' | 'parts'>[] = [];
  const written: NoticeRecord[] = [];
  for (const { request, inventory } of erasures) {
    const held = new Set(inventory.records.map(({ table }) => table));
    for (const { recipient, tables } of recipientsOf(config.erasure.recipients, held)) {
      if (known.has(`${request.id}/${recipient}`)) continue;
      const records = inventory.records.filter(({ table }) => tables.includes(table));
      const notices = erasureNotices({
        pipeline: config.name,
        request: request.id,
        recipient,
        subjectType: request.subject.type,
        records,
        saltKey,
      });
      for (const notice of notices) {
        written.push({
          key: noticeKey(request.id, recipient, notice.part),
          value: JSON.stringify(notice),
        });
      }
      sent.push({ request: request.id, recipient, tables, records: records.length, parts: notices.length });
    }
  }
  await writeNotices(config, written);
  await withKeyStore(config, (client) => noteNotices(client, sent));
  const counts = new Map<string, number>();
  for (const { request } of [...before, ...sent]) counts.set(request, (counts.get(request) ?? 0) + 1);
  return counts;
}
