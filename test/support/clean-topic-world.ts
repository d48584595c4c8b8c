import { type RejectedRow, RetryWrites } from '../../cli/dlq/retry-writes.ts';
import { CleanWrites } from '../../cli/clean-writes.ts';
import { type ReplayCounts, TopicReplay } from '../../cli/rebuild/topic-replay.ts';
import type { AppliedGeneration } from '../../pipeline/contract-rule.ts';
import type { CommittedRecord } from '../../pipeline/committed-reader.ts';
import type { CleanChange, Verdict } from '../../pipeline/sink.ts';
import { avroType } from '../../schemas/registry.ts';
import { header } from '../../schemas/record-headers.ts';
import { formatVersion, versionToElasticsearch } from '../../schemas/version.ts';
import { at, testDataset } from './sink-datasets.ts';

export const dataset = testDataset('public.t', ['id'], [{ name: 'id', type: 'text' }]);
const type = avroType({ type: 'record', name: 'r', fields: [{ name: 'n', type: 'long' }] });

const applied = [{ digest: dataset.digest, generation: 1 }];

/** A clean topic of one partition and a store that lets ties win, as Elasticsearch does. */
export class CleanTopicWorld {
  readonly records: CommittedRecord[] = [];
  readonly store = new Map<string, { version: bigint; n: bigint | null }>();
  /** What happens while the retry writes, once. */
  meanwhile: (() => void) | undefined;
  verdict: (change: CleanChange) => Verdict | undefined = () => undefined;
  writes = 0;
  /** The sequence in its transaction of the first record's change. */
  firstSeq = 0n;

  append(key: string, commit: number, n: bigint | null, contract = dataset.digest): void {
    const headers = new Map([
      [header.version, formatVersion({ ...at(commit), seq: this.firstSeq + BigInt(this.records.length) })],
      [header.commitMs, '1'],
      [header.contract, contract],
    ]);
    const value = n === null ? null : Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), type.toBuffer({ n })]);
    this.records.push({ offset: BigInt(this.records.length), key, value, headers, timestampMs: 1 });
  }

  take({ key, version, row }: Pick<CleanChange, 'key' | 'version' | 'row'>): Verdict {
    const own = { version: versionToElasticsearch(version), n: (row?.['n'] ?? null) as bigint | null };
    if (own.version < (this.store.get(key)?.version ?? 0n)) return { outcome: 'stale' };
    this.store.set(key, own);
    return { outcome: 'written' };
  }

  /** Of what retries and replays need. */
  private parts(history: readonly AppliedGeneration[]) {
    const { records } = this;
    return {
      reader: {
        ends: async () => [{ topic: 'clean', partition: 0, next: BigInt(records.length) }],
        async *read(_topic: string, _partition: number, from = 0n, to = BigInt(records.length)) {
          yield records.slice(Number(from), Number(to));
        },
      },
      decoder: async () => type,
      dataset,
      sink: {
        name: 'elasticsearch' as const,
        write: async (_dataset: unknown, changes: readonly CleanChange[]) => {
          this.writes++;
          this.meanwhile?.();
          this.meanwhile = undefined;
          return changes.map((change) => this.verdict(change) ?? this.take(change));
        },
        close: async () => {},
      },
      history: { of: async () => history, fresh: async () => history },
    };
  }

  /** Writes all records again, from an offset on. */
  async replay(from = 0n): Promise<ReplayCounts> {
    const { signal } = new AbortController();
    const parts = this.parts(applied);
    const replay = new TopicReplay({ ...parts, topic: 'clean', signal }, new Map([[0, from]]));
    await replay.settle(new CleanWrites(parts));
    return replay.counts;
  }

  async retry(rows: readonly RejectedRow[], history: readonly AppliedGeneration[] = applied) {
    const retry = new RetryWrites({ ...this.parts(history), cleanTopic: 'clean' });
    return Object.fromEntries([...(await retry.retry(rows))].map(([key, { kind }]) => [key, kind]));
  }
}
