import { letterId, type OpenLetter, readSealed } from '../../pipeline/open-letters.ts';
import type { Config } from '../../schemas/config.ts';
import { LetheError } from '../../schemas/errors.ts';
import { playbookOf } from '../../schemas/playbooks.ts';
import { Registry } from '../../schemas/registry.ts';
import { renderTable } from '../table.ts';
import { type LetterContent, letterContent } from './letter-content.ts';
import { withOpener, withReader } from './open-mail.ts';

/** A letter as it is shown; what it holds only to whoever asks for it and may read it. */
export interface ShownLetter {
  readonly id: string;
  readonly table: string;
  readonly stage: string;
  readonly code: string;
  /** Of the record that could not be processed. */
  readonly origin: { readonly topic: string; readonly partition: number; readonly offset: string };
  /** ISO 8601. */
  readonly time: string;
  readonly playbook: string;
  readonly payload?: LetterContent;
}

export function describeLetter(letter: OpenLetter): ShownLetter {
  const { table, stage, code, topic, partition, offset, timeMs } = letter;
  return {
    id: letterId(letter),
    table,
    stage,
    code,
    origin: { topic, partition, offset },
    time: new Date(timeMs).toISOString(),
    playbook: playbookOf(code),
  };
}

/** What a letter holds. Takes the master key and the key store: KEY_STORE_INVALID or AUTH_FAILED says that the right is missing. */
export async function readPayload(config: Config, letter: OpenLetter): Promise<LetterContent> {
  return withReader(config, (reader) =>
    withOpener(config, { for: 'show', letters: letterId(letter) }, async (opener): Promise<LetterContent> => {
      for await (const [found] of readSealed(reader, [letter])) {
        const opened = await opener.open(found!.sealed, letter.letterTopic);
        return await letterContent(opened, new Registry(config.registry));
      }
      return { state: 'erased' };
    }).catch(rightMissing),
  );
}

function rightMissing(error: unknown): never {
  if (!(error instanceof LetheError)) throw error;
  if (error.code !== 'KEY_STORE_INVALID' && error.code !== 'AUTH_FAILED') throw error;
  throw new LetheError(error.code, `the payload stays closed: ${error.message}`, {
    fix: 'Reading it takes the right to decrypt: the master key of this pipeline (keys.master), and a role that its key store lets in (keys.url).',
  });
}

/** For people. */
export function renderLetter({ id, stage, code, origin, time, playbook, payload }: ShownLetter): string {
  const rows = [
    ['dead letter', id],
    ['stage', stage],
    ['code', code],
    ['origin', `${origin.topic}, partition ${origin.partition}, offset ${origin.offset}`],
    ['time', time],
    ['playbook', playbook],
  ];
  const table = renderTable(['field', 'value'], rows);
  if (!payload) return table;
  if (payload.state !== 'readable') return `${table}\npayload: ${states[payload.state]}\n`;
  const { key, value } = payload;
  return `${table}\n${JSON.stringify({ key, value }, undefined, 2)}\n`;
}

const states = {
  erased: 'erased, its key was destroyed',
  unreadable: 'cannot be read: it is not what the dead letters’ key sealed',
} as const;
