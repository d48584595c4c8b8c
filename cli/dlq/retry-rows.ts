import type { Kafka, Producer } from 'kafkajs';
import type { ClientBase } from 'pg';
import {
  type KeyedTable,
  keyedTable,
  type Look,
  lookForRows,
  requestRows,
} from '../../connectors/row-reread.ts';
import { withSource } from '../../connectors/postgres/source-client.ts';
import { type PayloadOpener, splitPayload } from '../../pipeline/dead-letters.ts';
import { kafkaError } from '../../pipeline/kafka.ts';
import type { OpenLetter, SealedLetter } from '../../pipeline/open-letters.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { rawTopic } from '../../schemas/names.ts';
import { absentHeader } from '../../schemas/record-headers.ts';
import type { Registry } from '../../schemas/registry.ts';
import type { SourceTable } from '../../schemas/source-table.ts';
import { SourceKeys } from '../../transforms/source-keys.ts';
import type { RetriedLetter } from './retry-outcome.ts';

/** Rows of one look at the source. */
const rowsOfALook = 200;

/** The row that a letter of the transform is about. */
interface LetterRow {
  readonly letter: OpenLetter;
  readonly rawKey: Buffer;
  readonly key: readonly string[];
}

export interface RetryRowsParts {
  readonly config: Config;
  readonly dataset: Dataset;
  readonly source: SourceTable;
  readonly registry: Registry;
  readonly opener: PayloadOpener;
  readonly kafka: Kafka;
}

/**
 * Tries again what the transform could not process. The record itself is not sent again: behind a newer one of its row, the older
 * state would win. What counts is the row as the source has it now:
 *
 * 1. A row that is not there gets a mark in its raw partition, which the transform makes a delete: newer than all before it in the
 *    partition, older than whatever Debezium writes behind it.
 * 2. Then Debezium is asked to read all the rows again, those that were not there too: one that came between the look and the mark,
 *    and that the mark would hide, is read after the mark and so beats it.
 *
 * Whoever is killed between the two has settled no letter, and tries again.
 */
export class RetryRows {
  private readonly parts: RetryRowsParts;
  private readonly keyed: KeyedTable;
  private readonly keys: SourceKeys;
  private readonly producer: Producer;

  constructor(parts: RetryRowsParts) {
    this.parts = parts;
    this.keyed = keyedTable(parts.dataset, parts.source);
    this.keys = new SourceKeys(parts.dataset, (id) => parts.registry.writerSchema(id));
    this.producer = parts.kafka.producer({ allowAutoTopicCreation: false });
  }

  /** What became of the letters, some at a time; those that are settled may be, since the source has the request. */
  async *retry(sealed: AsyncIterable<readonly SealedLetter[]>): AsyncGenerator<readonly RetriedLetter[]> {
    let waiting: LetterRow[] = [];
    try {
      for await (const part of sealed) {
        for (const one of part) {
          const row = await this.rowOf(one);
          if ('outcome' in row) yield [row];
          else waiting.push(row);
          if (waiting.length < rowsOfALook) continue;
          yield await this.request(waiting);
          waiting = [];
        }
      }
      if (waiting.length > 0) yield await this.request(waiting);
    } finally {
      await this.producer.disconnect().catch(() => {});
    }
  }

  private async rowOf({ letter, sealed }: SealedLetter): Promise<LetterRow | RetriedLetter> {
    const opened = await this.parts.opener.open(sealed, letter.letterTopic);
    if (opened.kind !== 'opened') return { letter, outcome: { kind: opened.kind } };
    const rawKey = splitPayload(opened.payload)?.key;
    if (!rawKey) return { letter, outcome: { kind: 'unreadable' } };
    try {
      const key = await this.keys.read(rawKey);
      return { letter, rawKey, key };
    } catch (error) {
      if (!(error instanceof LetheError) || !unreadable.has(error.code)) throw error;
      return { letter, outcome: { kind: 'unreadable', now: error.code } };
    }
  }

  private async request(rows: readonly LetterRow[]): Promise<RetriedLetter[]> {
    const { config } = this.parts;
    // Several letters of one row ask for it once; of their records the latest knows its partition best.
    const distinct = [...new Map(rows.map((row) => [row.rawKey.toString('latin1'), row])).values()];
    const present = await withSource(config.postgres, async (client) => {
      const keys = distinct.map(({ key }) => key);
      const look = await lookForRows(client, this.keyed, keys);
      await this.mark(distinct, look);
      await this.ask(client, look);
      return new Map(distinct.map(({ rawKey }, i) => [rawKey.toString('latin1'), look.rows[i]!.present]));
    });
    return rows.map(({ letter, rawKey }) => ({
      letter,
      outcome: { kind: present.get(rawKey.toString('latin1')) ? 'requested' : 'deleted' },
    }));
  }

  private async mark(rows: readonly LetterRow[], { lookedMs, rows: found }: Look): Promise<void> {
    const absent = rows.filter((_, i) => !found[i]!.present);
    if (absent.length === 0) return;
    const { config, dataset } = this.parts;
    const messages = absent.map(({ letter, rawKey }) => ({
      // Where Debezium puts the changes of this row.
      partition: letter.partition,
      key: rawKey,
      value: null,
      headers: { [absentHeader]: String(lookedMs) },
    }));
    try {
      await this.producer.connect();
      await this.producer.send({ topic: rawTopic(config, dataset.table), messages, acks: -1 });
    } catch (cause) {
      throw kafkaError(cause);
    }
  }

  private async ask(client: ClientBase, look: Look): Promise<void> {
    await requestRows(client, this.parts.config, this.keyed, look);
  }
}

/** Of a key: no other try reads it. */
const unreadable: ReadonlySet<string> = new Set(['RECORD_MALFORMED', 'SCHEMA_UNKNOWN', 'SCHEMA_UNEXPECTED']);
