import { ContractHistory } from '../../connectors/postgres/contract-history.ts';
import type { CommittedReader } from '../../pipeline/committed-reader.ts';
import { type PayloadOpener, splitPayload } from '../../pipeline/dead-letters.ts';
import { grouped } from '../../pipeline/grouped.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { type OpenLetter, readSealed } from '../../pipeline/open-letters.ts';
import type { LetterBox } from '../../pipeline/letter-box.ts';
import { type Dataset, sinkDataset } from '../../schemas/dataset.ts';
import { cleanTopic } from '../../schemas/names.ts';
import { Registry } from '../../schemas/registry.ts';
import type { Project } from '../project.ts';
import { createSink } from '../sinks.ts';
import { isSettled, type RetriedLetter, type RetryOutcome } from './retry-outcome.ts';
import { RetryRows } from './retry-rows.ts';
import { type RejectedRow, RetryWrites } from './retry-writes.ts';

export interface RetryParts {
  readonly project: Project;
  readonly reader: CommittedReader;
  readonly opener: PayloadOpener;
  readonly box: LetterBox;
}

const restatedAtATime = 200;

/**
 * Tries letters again, table by table and stage by stage, and settles those that are done with as soon as they are. Says what became
 * of each, some at a time. What an error or a kill leaves open is tried by the next run.
 */
export async function* retryLetters(
  parts: RetryParts,
  letters: readonly OpenLetter[],
): AsyncGenerator<readonly RetriedLetter[]> {
  for (const own of grouped(letters, ({ table, stage }) => `${table}\n${stage}`).values()) {
    const { table, stage } = own[0]!;
    const dataset = parts.project.datasets.find((candidate) => candidate.table === table)!;
    const retried =
      stage === 'transform' ? retryRows(parts, dataset, own) : retryWrites(parts, dataset, stage, own);
    for await (const some of retried) {
      await parts.box.settle(some.flatMap(({ letter, outcome }) => (isSettled(outcome) ? [letter] : [])));
      yield some;
    }
  }
}

async function* retryRows(
  { project, reader, opener }: RetryParts,
  dataset: Dataset,
  letters: readonly OpenLetter[],
): AsyncGenerator<readonly RetriedLetter[]> {
  const { config, catalog } = project;
  const rows = new RetryRows({
    config,
    dataset,
    source: catalog.tables.get(dataset.table)!,
    registry: new Registry(config.registry),
    opener,
    kafka: createKafka(config, 'dlq'),
  });
  yield* rows.retry(readSealed(reader, letters));
}

async function* retryWrites(
  { project, reader, opener, box }: RetryParts,
  dataset: Dataset,
  stage: string,
  letters: readonly OpenLetter[],
): AsyncGenerator<readonly RetriedLetter[]> {
  const unreadable: RetriedLetter[] = [];
  const rows: { letter: OpenLetter; row: RejectedRow; isDelete: boolean }[] = [];
  for await (const part of readSealed(reader, letters)) {
    for (const { letter, sealed } of part) {
      const opened = await opener.open(sealed, letter.letterTopic);
      const { key, value } = (opened.kind === 'opened' && splitPayload(opened.payload)) || nothing;
      if (key) {
        const { partition, offset } = letter;
        const row = { key: key.toString('utf8'), partition, offset: BigInt(offset) };
        rows.push({ letter, row, isDelete: value === null });
      } else {
        const kind = opened.kind === 'erased' ? 'erased' : 'unreadable';
        unreadable.push({ letter, outcome: { kind } });
      }
    }
  }
  yield unreadable;
  const wanted = rows.map(({ row }) => row);
  const outcomes = await writeRows(project, reader, dataset, stage, wanted);
  const retried = rows.map(({ letter, row, isDelete }): RetriedLetter => {
    const outcome = outcomes.get(row.key)!;
    return { letter, outcome: outcome.kind === 'gone' && isDelete ? { kind: 'lost' } : outcome };
  });
  await restate(reader, box, retried);
  yield retried;
}

const nothing = { key: null, value: null };

async function writeRows(
  { config }: Project,
  reader: CommittedReader,
  dataset: Dataset,
  stage: string,
  rows: readonly RejectedRow[],
): Promise<ReadonlyMap<string, RetryOutcome>> {
  const name = dataset.contract.sinks.find((sink) => sink === stage);
  // The contract feeds the store no more: nothing is to be written there.
  if (!name) return new Map(rows.map(({ key }) => [key, { kind: 'left' }]));
  const registry = new Registry(config.registry);
  const history = new ContractHistory(config);
  const sink = createSink(config, name);
  try {
    return await new RetryWrites({
      reader,
      decoder: (id) => registry.decoder(id),
      cleanTopic: cleanTopic(config, dataset.table),
      dataset: sinkDataset(dataset, name),
      sink,
      history,
    }).retry(rows);
  } finally {
    await sink.close();
    await history.close();
  }
}

/** Letters that stay for another reason than they came for say so. */
async function restate(
  reader: CommittedReader,
  box: LetterBox,
  retried: readonly RetriedLetter[],
): Promise<void> {
  const changed = new Map(
    retried.flatMap(({ letter, outcome: { now } }) =>
      now !== undefined && now !== letter.code ? [[letter, now] as const] : [],
    ),
  );
  const letters = [...changed.keys()];
  for (let from = 0; from < letters.length; from += restatedAtATime) {
    for await (const part of readSealed(reader, letters.slice(from, from + restatedAtATime))) {
      for (const sealed of part) await box.restate(sealed, changed.get(sealed.letter)!);
    }
  }
}
