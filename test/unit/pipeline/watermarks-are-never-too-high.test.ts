import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type OffsetsByPlace, Watermarks, type WatermarkTable } from '../../../pipeline/watermarks.ts';
import type { SinkName } from '../../../schemas/sink-name.ts';

const partitions = 2;
const tables: readonly WatermarkTable[] = [
  { table: 'public.a', rawTopic: 'raw.a', cleanTopic: 'clean.a', sinks: ['elasticsearch', 'clickhouse'] },
  { table: 'public.b', rawTopic: 'raw.b', cleanTopic: 'clean.b', sinks: ['clickhouse'] },
];

interface Change {
  readonly lsn: bigint;
  readonly table: number;
  readonly partition: number;
}

/** A pipeline in which everything moves by chance, also between two questions. */
class Model {
  readonly committed: Change[] = [];
  captured = 0;
  readonly raw = new Map<string, Change[]>();
  readonly clean = new Map<string, Change[]>();
  readonly read = new Map<string, number>();
  private readonly chance: (n: number) => number;
  moves = true;

  constructor(chance: (n: number) => number) {
    this.chance = chance;
  }

  /** A commit, a capture, a transformed record or a written one. */
  step(): void {
    if (!this.moves) return;
    const [table, partition] = [this.chance(2), this.chance(partitions)];
    const { rawTopic, cleanTopic, sinks } = tables[table]!;
    switch (this.chance(4)) {
      case 0:
        this.committed.push({ lsn: BigInt(this.committed.length + 1) * 8n, table, partition });
        return;
      case 1:
        return this.capture();
      case 2:
        return this.transform(rawTopic, cleanTopic, partition);
      default:
        return this.move(sinks[this.chance(sinks.length)]!, cleanTopic, partition);
    }
  }

  private capture(): void {
    const next = this.committed[this.captured];
    if (!next) return;
    this.captured++;
    push(this.raw, `${tables[next.table]!.rawTopic}/${next.partition}`, next);
  }

  private transform(rawTopic: string, cleanTopic: string, partition: number): void {
    const place = `${rawTopic}/${partition}`;
    const change = this.raw.get(place)?.[this.offset('transform', place)];
    if (!change) return;
    push(this.clean, `${cleanTopic}/${this.chance(partitions)}`, change);
    this.read.set(`transform ${place}`, this.offset('transform', place) + 1);
  }

  private move(sink: SinkName, cleanTopic: string, partition: number): void {
    const place = `${cleanTopic}/${partition}`;
    const at = this.offset(sink, place);
    if (at < (this.clean.get(place)?.length ?? 0)) this.read.set(`${sink} ${place}`, at + 1);
  }

  offset(by: string, place: string): number {
    return this.read.get(`${by} ${place}`) ?? 0;
  }

  /** Has the sink all changes of the table up to the LSN? */
  has(sink: SinkName, table: number, lsn: bigint): boolean {
    const { cleanTopic } = tables[table]!;
    const written = new Set<Change>();
    for (let p = 0; p < partitions; p++) {
      const place = `${cleanTopic}/${p}`;
      for (const c of (this.clean.get(place) ?? []).slice(0, this.offset(sink, place))) written.add(c);
    }
    return this.committed.every((c) => c.table !== table || c.lsn > lsn || written.has(c));
  }

  offsets(by: string | undefined, topics: readonly string[]): OffsetsByPlace {
    const found = new Map<string, bigint>();
    for (const topic of topics) {
      for (let p = 0; p < partitions; p++) {
        const place = `${topic}/${p}`;
        const ends = this.raw.get(place) ?? this.clean.get(place) ?? [];
        found.set(place, BigInt(by === undefined ? ends.length : this.offset(by, place)));
      }
    }
    return found;
  }
}

function push(map: Map<string, Change[]>, place: string, change: Change): void {
  const own = map.get(place) ?? [];
  map.set(place, own);
  own.push(change);
}

describe('watermarks', () => {
  it('are never above what a sink has, and reach what is captured when all is at rest', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(1_000)), async (numbers) => {
        const model = new Model((n) => numbers.next().value! % n);
        const moved = async <T>(answer: () => T): Promise<T> => {
          const found = answer();
          for (let i = 0; i < 6; i++) model.step();
          return found;
        };
        const watermarks = new Watermarks(tables, {
          captured: () => moved(() => model.committed[model.captured - 1]?.lsn ?? 0n),
          ends: (topics) => moved(() => model.offsets(undefined, topics)),
          read: (by, topics) => moved(() => model.offsets(by, topics)),
        });
        const check = (): void => {
          for (const { sink, table } of watermarks.fed) {
            const lsn = watermarks.of(sink, table);
            const index = tables.findIndex((t) => t.table === table);
            if (lsn !== undefined) expect(model.has(sink, index, lsn)).toBe(true);
          }
        };
        for (let i = 0; i < 30; i++) {
          await watermarks.update();
          check();
        }
        for (let i = 0; i < 3_000; i++) model.step();
        model.moves = false;
        // Whatever is left goes through.
        for (const [place, own] of model.raw) {
          const behind = own.slice(model.offset('transform', place));
          for (const c of behind) push(model.clean, `${tables[c.table]!.cleanTopic}/0`, c);
          model.read.set(`transform ${place}`, own.length);
        }
        for (const [place, own] of model.clean) {
          for (const sink of ['elasticsearch', 'clickhouse']) model.read.set(`${sink} ${place}`, own.length);
        }
        await watermarks.update();
        check();
        const newest = model.committed[model.captured - 1]?.lsn ?? 0n;
        expect(watermarks.have(newest, ['elasticsearch', 'clickhouse'], ['public.a', 'public.b'])).toBe(true);
        expect(watermarks.have(newest + 1n, ['clickhouse'], ['public.b'])).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('are unknown while a first snapshot is under way', async () => {
    const model = new Model(() => 0);
    const watermarks = new Watermarks(tables, {
      captured: async () => undefined,
      ends: async (topics) => model.offsets(undefined, topics),
      read: async (by, topics) => model.offsets(by, topics),
    });
    await watermarks.update();
    expect(watermarks.of('clickhouse', 'public.a')).toBeUndefined();
    expect(watermarks.have(0n, ['clickhouse'], ['public.a'])).toBe(false);
  });
});
