import type { KeyStore } from '../keys/key-store.ts';
import type { RawRecord } from '../pipeline/transform.ts';
import { CipherCalls } from './engine-cipher-calls.ts';
import { AvscPath, batchesOf, type Contestant, Transform, ValueEngine } from './engine-contestants.ts';
import { BenchTable, type ContractName } from './engine-events.ts';
import { BenchKeys, SwitchedKeys } from './engine-keys.ts';
import {
  type CaseName,
  type ContestantName,
  contestants,
  type EngineCase,
  engineCase,
  type Sample,
} from './engine-report.ts';
import { assertSameOutput } from './engine-same-output.ts';

export interface EngineOptions {
  readonly rounds: number;
  readonly events: number;
  /** Persons of the cases with an event for each of many. */
  readonly subjects: number;
  /** How much processor time a contestant takes in a round at least. */
  readonly sampleMs: number;
}

/** Measures one case; within it the contestants take turns. */
export async function measureCase(
  { columns, contract, keys: state }: CaseName,
  options: EngineOptions,
): Promise<EngineCase> {
  if (!state) return measureContract(columns, contract, await BenchKeys.of(options.events), options);
  const keys = await BenchKeys.of(options.subjects);
  const warm = await keys.warmStore();
  const share = Math.max(1, Math.floor(options.subjects / options.rounds));
  const table = new BenchTable(columns, contract);
  const shares = Array.from({ length: options.rounds }, (_, r) => table.events(r * share, share));
  return measureSubjects(table, shares, state, { keys, warm, ...options });
}

/** A contract on the same events again and again, all keys known. */
async function measureContract(
  columns: number,
  contract: ContractName,
  keys: BenchKeys,
  { rounds, events, sampleMs }: EngineOptions,
): Promise<EngineCase> {
  const table = new BenchTable(columns, contract);
  const records = table.events(0, events);
  const store = keys.coldStore();
  const engine = new ValueEngine(table, store);
  const transform = new Transform(table, store);
  const avsc = await new AvscPath(table, store).prepare();
  await assertSameOutput(table, { engine, transform, avsc }, store, records.slice(0, 500));
  const calls =
    contract === 'drop-only' ? undefined : await CipherCalls.over(table, records, store, { cold: false });
  const runs = {
    engine: engine.run,
    transform: transform.run,
    avsc: avsc.run,
    avscDecode: avsc.runDecode,
    cipherOnly: calls?.run,
  };
  const round = (r: number, ms: number) =>
    sample(r, async (name) => {
      const run = runs[name];
      return run ? await rate(run, records, ms) : null;
    });
  // Twice, and long: what a compiler has not seen to yet is not what runs for days.
  for (let r = 0; r < 2; r++) await round(r, 2 * sampleMs);
  const samples: Sample[] = [];
  for (let r = 0; r < rounds; r++) samples.push(await round(r, sampleMs));
  return engineCase({ columns, contract }, samples);
}

/**
 * `encrypt` with another person in each event: every round takes its part of them, once. avsc is measured on some of
 * the events, for it has no part in the question and would take the most time.
 */
async function measureSubjects(
  table: BenchTable,
  shares: readonly (readonly RawRecord[])[],
  state: 'cold' | 'warm',
  { keys, warm, events, subjects, sampleMs }: EngineOptions & { keys: BenchKeys; warm: KeyStore },
): Promise<EngineCase> {
  const store = new SwitchedKeys(warm);
  // Made once: a plan is compiled when its schema is first seen, and runs for days.
  const engine = new ValueEngine(table, store);
  const transform = new Transform(table, store);
  const avsc = await new AvscPath(table, store).prepare();
  const round = async (r: number, records: readonly RawRecord[]) => {
    const some = records.slice(0, events);
    const calls = await CipherCalls.over(table, records, warm, { cold: state === 'cold' });
    await keys.expect(batchesOf(records).map((batch) => calls.personsOf(batch)));
    return sample(r, (name) => {
      const runs = {
        engine: engine.run,
        transform: transform.run,
        avsc: avsc.run,
        avscDecode: avsc.runDecode,
        cipherOnly: calls.run,
      };
      store.current = state === 'warm' ? warm : keys.coldStore();
      return rate(runs[name], name === 'avsc' || name === 'avscDecode' ? some : records, 0);
    });
  };
  // What a compiler has not seen to yet is not what runs for days.
  if (sampleMs > 0) await round(0, shares[0]!);
  const samples: Sample[] = [];
  for (const [r, records] of shares.entries()) samples.push(await round(r, records));
  const name: CaseName = { columns: table.columns.length, contract: 'encrypt', subjects, keys: state };
  return engineCase(name, samples);
}

/** One round: each contestant in turn, another one first in each round. */
async function sample(
  round: number,
  measure: (name: ContestantName) => Promise<number | null>,
): Promise<Sample> {
  const found: Partial<Record<ContestantName, number | null>> = {};
  for (let i = 0; i < contestants.length; i++) {
    const name = contestants[(round + i) % contestants.length]!;
    found[name] = await measure(name);
  }
  return found as Sample;
}

/**
 * Events a second of processor time, the collector's threads included: on a machine that others use as well, time on the wall
 * would say how much of it they left. Garbage is not collected before: a collection on demand also throws
 * compiled code away.
 */
async function rate(run: Contestant, records: readonly RawRecord[], atLeastMs: number): Promise<number> {
  const batches = batchesOf(records);
  const started = process.cpuUsage();
  let passes = 0;
  let elapsed = 0;
  do {
    await run(batches);
    passes++;
    const { user, system } = process.cpuUsage(started);
    elapsed = Math.max(1, user + system);
  } while (elapsed < atLeastMs * 1_000);
  return (passes * records.length * 1e6) / elapsed;
}
