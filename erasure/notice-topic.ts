import { createKafka, kafkaError } from '../pipeline/kafka.ts';
import { sendRecords } from '../pipeline/send-records.ts';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import { noticeTopic } from '../schemas/names.ts';

/** A record of the topic of notices; null takes the notice of this key out. */
export interface NoticeRecord {
  readonly key: string;
  readonly value: string | null;
}

/** Sent at once: less than a record may be large. */
const atOnceBytes = 4 * 1024 * 1024;

/** Writes them, on every replica that is there, before it returns. */
export async function writeNotices(
  config: Pick<Config, 'name' | 'kafka' | 'topics'>,
  records: readonly NoticeRecord[],
): Promise<void> {
  if (records.length === 0) return;
  const topic = noticeTopic(config);
  try {
    await sendRecords(createKafka(config, 'notices'), topic, batches(records));
  } catch (cause) {
    throw noticeFailure(topic, cause);
  }
}

/** ERASURE_REFUSED where recipients are to be told and have no topic: best known before anything is done that nobody takes back. */
export async function requireNoticeTopic(
  config: Pick<Config, 'name' | 'kafka' | 'topics' | 'erasure'>,
): Promise<void> {
  if (config.erasure.recipients.length === 0) return;
  const topic = noticeTopic(config);
  const admin = createKafka(config, 'notices').admin();
  let topics: string[];
  try {
    await admin.connect();
    topics = await admin.listTopics();
  } catch (cause) {
    throw kafkaError(cause);
  } finally {
    await admin.disconnect().catch(() => {});
  }
  if (!topics.includes(topic)) throw noNoticeTopic(topic);
}

/** ERASURE_REFUSED where the topic is not there: no attempt makes it. */
export function noticeFailure(topic: string, cause: unknown): LetheError {
  return isOfNoTopic(cause) ? noNoticeTopic(topic) : kafkaError(cause);
}

function noNoticeTopic(topic: string): LetheError {
  return new LetheError('ERASURE_REFUSED', `there is no topic ${topic} to tell recipients in`, {
    fix: 'Run `lethe apply`, then `lethe erase resume`.',
  });
}

/** Also where kafkajs has given it several tries, and wraps what the last one said. */
function isOfNoTopic(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error as { type?: unknown }).type === 'UNKNOWN_TOPIC_OR_PARTITION' || isOfNoTopic(error.cause);
}

/** In their order, each of them small enough for one request. */
export function batches(records: readonly NoticeRecord[], most = atOnceBytes): NoticeRecord[][] {
  const found: NoticeRecord[][] = [];
  let left = 0;
  for (const record of records) {
    const size = record.key.length + (record.value?.length ?? 0);
    if (found.length === 0 || size > left) {
      found.push([]);
      left = most;
    }
    found.at(-1)!.push(record);
    left -= size;
  }
  return found;
}
