import type { SinkName } from '../schemas/sink-name.ts';

/** Offsets by `topic/partition`. */
export type OffsetsByPlace = ReadonlyMap<string, bigint>;

/** What is asked of the servers; each answer is of the moment it was asked. */
export interface WatermarkLook {
  /** Up to here all changes of the source are in the raw topics; undefined while a first snapshot is under way or there is no slot. */
  captured(): Promise<bigint | undefined>;
  /** Offsets after the last records. */
  ends(topics: readonly string[]): Promise<OffsetsByPlace>;
  /** Next offsets that the transforms, or a sink, will read. */
  read(by: 'transform' | SinkName, topics: readonly string[]): Promise<OffsetsByPlace>;
}

export interface WatermarkTable {
  readonly table: string;
  readonly rawTopic: string;
  readonly cleanTopic: string;
  readonly sinks: readonly SinkName[];
}

/** A moment at the source on its way to the stores. */
interface Mark {
  readonly lsn: bigint;
  readonly rawEnds: OffsetsByPlace;
  /** Set once the transforms have passed it. */
  cleanEnds: OffsetsByPlace | undefined;
}

/** Marks of a table under way at a time; one that is given up is overtaken by the next. */
const mostMarks = 8;

/**
 * How far each sink is with each table, as an LSN of the source: what was committed there up to it, the store has. Known
 * from offsets alone, one after the other: a captured LSN, then the raw topics' ends, then the clean topics' when the transforms have passed
 * those. So it is never too high, and it moves on idle tables too, with the connector's heartbeat.
 */
export class Watermarks {
  private readonly look: WatermarkLook;
  private readonly tables: readonly WatermarkTable[];
  private readonly marks = new Map<string, Mark[]>();
  private readonly reached = new Map<string, bigint>();
  private looking: Promise<void> | undefined;

  constructor(tables: readonly WatermarkTable[], look: WatermarkLook) {
    this.tables = tables;
    this.look = look;
  }

  /** Every sink with each of its tables. */
  get fed(): { readonly sink: SinkName; readonly table: string }[] {
    return this.tables.flatMap(({ table, sinks }) => sinks.map((sink) => ({ sink, table })));
  }

  /** The LSN that the sink has reached with the table; undefined if none is known yet. */
  of(sink: SinkName, table: string): bigint | undefined {
    return this.reached.get(`${sink} ${table}`);
  }

  /** Every sink has what it is to have of these tables up to the LSN. */
  have(lsn: bigint, sinks: readonly SinkName[], tables: readonly string[]): boolean {
    return this.tables
      .filter(({ table }) => tables.includes(table))
      .every((own) =>
        own.sinks
          .filter((sink) => sinks.includes(sink))
          .every((sink) => (this.of(sink, own.table) ?? -1n) >= lsn),
      );
  }

  /** Asks the servers once; who calls while that is under way shares it. */
  update(): Promise<void> {
    this.looking ??= this.updateOnce().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  private async updateOnce(): Promise<void> {
    const { look, tables } = this;
    // The order of these questions is what makes the answers true.
    const lsn = await look.captured();
    const raw = tables.map((t) => t.rawTopic);
    const clean = tables.map((t) => t.cleanTopic);
    const rawEnds = await look.ends(raw);
    if (lsn !== undefined) for (const { table } of tables) this.mark(table, lsn, rawEnds);
    const transformed = await look.read('transform', raw);
    const cleanEnds = await look.ends(clean);
    for (const { table, rawTopic } of tables) {
      for (const mark of this.marks.get(table) ?? []) {
        if (!mark.cleanEnds && passed(transformed, mark.rawEnds, rawTopic)) mark.cleanEnds = cleanEnds;
      }
    }
    const sinks = [...new Set(tables.flatMap((t) => t.sinks))];
    for (const sink of sinks) {
      const fed = tables.filter((t) => t.sinks.includes(sink));
      const written = await look.read(
        sink,
        fed.map((t) => t.cleanTopic),
      );
      for (const { table, cleanTopic } of fed) {
        const done = (this.marks.get(table) ?? []).filter(
          (mark) => mark.cleanEnds && passed(written, mark.cleanEnds, cleanTopic),
        );
        const newest = done.at(-1);
        if (newest) this.reached.set(`${sink} ${table}`, newest.lsn);
      }
    }
    this.forget();
  }

  private mark(table: string, lsn: bigint, rawEnds: OffsetsByPlace): void {
    const marks = this.marks.get(table) ?? [];
    this.marks.set(table, marks);
    if (lsn <= (marks.at(-1)?.lsn ?? -1n)) return;
    // The oldest gets there first; those in between are the ones to do without.
    if (marks.length === mostMarks) marks.splice(-2, 1);
    marks.push({ lsn, rawEnds, cleanEnds: undefined });
  }

  /** What all sinks have passed is needed no more, but for the newest, so that a mark is not made twice. */
  private forget(): void {
    for (const { table, sinks } of this.tables) {
      const marks = this.marks.get(table) ?? [];
      const passedByAll = marks.filter((mark) => sinks.every((s) => (this.of(s, table) ?? -1n) >= mark.lsn));
      marks.splice(0, Math.min(passedByAll.length, marks.length - 1));
    }
  }
}

/** Every partition of the topic is read up to its end. */
function passed(read: OffsetsByPlace, ends: OffsetsByPlace, topic: string): boolean {
  for (const [place, end] of ends) {
    if (place.startsWith(`${topic}/`) && end > 0n && (read.get(place) ?? 0n) < end) return false;
  }
  return true;
}
