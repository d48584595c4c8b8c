import type { ErrorCode } from '../schemas/errors.ts';
import { deadLetterHeader } from '../schemas/record-headers.ts';
import type { CommittedReader, CommittedRecord } from './committed-reader.ts';
import type { DeadLetterOrigin } from './dead-letters.ts';
import { grouped } from './grouped.ts';

/** A dead letter that nobody has settled: all that stands of it in the clear. */
export interface OpenLetter extends DeadLetterOrigin {
  /** Its record's key, by which it is settled. */
  readonly key: string;
  readonly letterTopic: string;
  /** Its own offset in the topic of dead letters, which has one partition. */
  readonly at: bigint;
  /** When it was written, ms since the epoch. */
  readonly timeMs: number;
}

/** A topic of dead letters and whose they are. */
export interface LetterPlace {
  readonly table: string;
  readonly topic: string;
}

/** An open letter with what it holds, still sealed. */
export interface SealedLetter {
  readonly letter: OpenLetter;
  readonly sealed: Buffer;
  readonly headers: ReadonlyMap<string, string>;
}

/** How people name a letter, and logs as well: table, stage, and partition and offset of the record that could not be processed. */
export function letterId({ table, stage, partition, offset }: DeadLetterOrigin): string {
  return `${table}/${stage}/${partition}/${offset}`;
}

/**
 * The letters that are open, table by table, oldest first. Payloads pass and are forgotten: what stays is some 300 bytes a letter. A
 * repetition takes its predecessor's place; a tombstone settles it.
 */
export async function readOpenLetters(
  reader: Pick<CommittedReader, 'read'>,
  places: readonly LetterPlace[],
): Promise<OpenLetter[]> {
  const all: OpenLetter[] = [];
  for (const place of places) {
    const open = new Map<string, OpenLetter>();
    const shared = new Map<string, string>();
    for await (const records of reader.read(place.topic, 0)) {
      for (const record of records) {
        open.delete(record.key);
        if (record.value) open.set(record.key, letterOf(place, record, shared));
      }
    }
    for (const letter of open.values()) all.push(letter);
  }
  return all;
}

/** These letters with their payloads, some at a time in the order of their topics; those settled meanwhile may be left out. */
export async function* readSealed(
  reader: Pick<CommittedReader, 'read'>,
  letters: readonly OpenLetter[],
): AsyncGenerator<readonly SealedLetter[]> {
  for (const [topic, own] of grouped(letters, ({ letterTopic }) => letterTopic)) {
    const wanted = new Map(own.map((letter) => [letter.at, letter]));
    const first = own.reduce((least, { at }) => (at < least ? at : least), own[0]!.at);
    for await (const records of reader.read(topic, 0, first)) {
      const found = records.flatMap(({ offset, value, headers }) => {
        const letter = wanted.get(offset);
        wanted.delete(offset);
        return letter && value ? [{ letter, sealed: value, headers }] : [];
      });
      if (found.length > 0) yield found;
      if (wanted.size === 0) break;
    }
  }
}

/** `shared`: texts that most letters have in common, kept once. */
function letterOf(
  { table, topic: letterTopic }: LetterPlace,
  { key, offset: at, headers, timestampMs: timeMs }: CommittedRecord,
  shared: Map<string, string>,
): OpenLetter {
  const text = (name: string): string => {
    const value = headers.get(name) ?? '';
    const known = shared.get(value) ?? value;
    shared.set(known, known);
    return known;
  };
  return {
    table,
    letterTopic,
    key,
    at,
    timeMs,
    code: text(deadLetterHeader.code) as ErrorCode,
    stage: text(deadLetterHeader.stage),
    topic: text(deadLetterHeader.topic),
    partition: Number(headers.get(deadLetterHeader.partition) ?? 0),
    offset: headers.get(deadLetterHeader.offset) ?? '',
  };
}
