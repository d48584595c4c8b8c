import type { Canary } from './canary.ts';
import { Matcher } from './matcher.ts';
import { type Needle, needlesOf } from './needles.ts';
import { reasonOf } from './verify-error.ts';

/** A protected value where none may be. Names and places only, never the value. */
export interface Finding {
  readonly place: string;
  /** File, or topic, partition and offset, or index, or table. */
  readonly where: string;
  /** Byte within `where`. */
  readonly offset: number;
  readonly table: string;
  readonly column: string;
  readonly action: Canary['action'];
  /** `plain`, `base64`, `hex`, … */
  readonly form: string;
}

export interface PlaceReport {
  readonly place: string;
  readonly records: number;
  readonly files: number;
  readonly bytes: number;
  readonly found: number;
  /** How often something was met that is known to be there: that shows that what is read here is read rightly. */
  readonly controls: number;
  /** The first of what was found; `found` is complete. */
  readonly findings: readonly Finding[];
  /** What could not be read: a place with problems is not shown to be clean. */
  readonly problems: readonly string[];
  readonly seconds: number;
}

/** A place to search. Each reads its server or files in its own way and hands every byte to the search. */
export interface Place {
  readonly name: string;
  search(search: Search): Promise<void>;
}

const keptFindings = 100;
const keptProblems = 20;

/** Searches the places one after the other; see {@link isClean}. */
export async function scanForCanaries(options: {
  readonly places: readonly Place[];
  readonly canaries: readonly Canary[];
  /** What is known to be there. */
  readonly controls?: readonly Canary[];
  readonly onPlace?: (name: string) => void;
}): Promise<PlaceReport[]> {
  const controls = new Set(options.controls);
  const needles = needlesOf([...options.canaries, ...controls]);
  const matcher = new Matcher(needles.map((needle) => needle.bytes));
  const reports: PlaceReport[] = [];
  for (const place of options.places) {
    options.onPlace?.(place.name);
    const search = new Search(place.name, needles, matcher, controls);
    try {
      await place.search(search);
    } catch (error) {
      search.problem(reasonOf(error));
    }
    reports.push(search.report());
  }
  return reports;
}

/** True only if nothing was found and everything could be read, in every place. */
export function isClean(reports: readonly PlaceReport[]): boolean {
  return reports.length > 0 && reports.every((report) => report.found === 0 && report.problems.length === 0);
}

/** What a place tells while it is searched: the bytes, how many records and files, and what it could not read. */
export class Search {
  readonly #place: string;
  readonly #needles: readonly Needle[];
  readonly #matcher: Matcher;
  readonly #controls: ReadonlySet<Canary>;
  readonly #findings: Finding[] = [];
  readonly #problems: string[] = [];
  readonly #started = performance.now();
  #found = 0;
  #controlsMet = 0;
  #records = 0;
  #files = 0;
  #bytes = 0;

  constructor(
    place: string,
    needles: readonly Needle[],
    matcher: Matcher,
    controls: ReadonlySet<Canary> = new Set(),
  ) {
    this.#place = place;
    this.#controls = controls;
    this.#needles = needles;
    this.#matcher = matcher;
  }

  /** Searches bytes; gives how many were found. `matters` says which canaries may not stand here (all of them). */
  bytes(where: string, bytes: Uint8Array, matters: (canary: Canary) => boolean = all): number {
    const before = this.#found;
    this.#bytes += bytes.length;
    this.#matcher.find(bytes, (number, offset) => this.#hit(where, number, offset, matters));
    return this.#found - before;
  }

  /** Searches bytes that come in pieces, across their borders too. */
  stream(where: string, matters: (canary: Canary) => boolean = all): { write(chunk: Uint8Array): void } {
    const stream = this.#matcher.stream((number, offset) => this.#hit(where, number, offset, matters));
    return {
      write: (chunk) => {
        this.#bytes += chunk.length;
        stream.write(chunk);
      },
    };
  }

  text(where: string, text: string): number {
    return this.bytes(where, Buffer.from(text));
  }

  records(count = 1): void {
    this.#records += count;
  }

  files(count = 1): void {
    this.#files += count;
  }

  /** Says that a part could not be read. `what` names it and the reason, never a value. */
  problem(what: string): void {
    if (this.#problems.length < keptProblems && !this.#problems.includes(what)) this.#problems.push(what);
  }

  report(): PlaceReport {
    return {
      place: this.#place,
      records: this.#records,
      files: this.#files,
      bytes: this.#bytes,
      found: this.#found,
      controls: this.#controlsMet,
      findings: this.#findings,
      problems: this.#problems,
      seconds: (performance.now() - this.#started) / 1000,
    };
  }

  #hit(where: string, number: number, offset: number, matters: (canary: Canary) => boolean): void {
    const { canary, form } = this.#needles[number]!;
    if (this.#controls.has(canary)) {
      this.#controlsMet++;
      return;
    }
    if (!matters(canary)) return;
    this.#found++;
    if (this.#findings.length >= keptFindings) return;
    const { table, column, action } = canary;
    this.#findings.push({ place: this.#place, where, offset, table, column, action, form });
  }
}

function all(): boolean {
  return true;
}
