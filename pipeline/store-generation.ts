/**
 * Which index and table a contract's rows go to. Where a changed contract does not fit what is there, the next generation is built
 * beside it and takes its place when it has all rows.
 */
export interface StoreGeneration {
  readonly generation: number;
  /** The generation that does not fit, beside which this one is built; undefined where nothing is to be built. */
  readonly beside?: number;
  /** Whether the next generation would help where this one does not fit: only a changed contract has its rows read again. */
  readonly mayRebuild: boolean;
}

/** Gives the generation of a table. */
export type GenerationOf = (table: string) => StoreGeneration;

/** Where a contract goes that finds its table under `applied`. `misfits`: why the stores there cannot take it in place. */
export function storeGeneration(
  applied: { readonly digest: string; readonly generation: number } | undefined,
  digest: string,
  misfits: readonly string[],
  rebuild: boolean,
): StoreGeneration {
  const generation = applied?.generation ?? 1;
  const changes = applied !== undefined && applied.digest !== digest;
  if (!changes || misfits.length === 0 || !rebuild) return { generation, mayRebuild: changes };
  return { generation: generation + 1, beside: generation, mayRebuild: true };
}

/** The way out where a store does not fit: by the command where that helps, else by hand. */
export function wayOut({ mayRebuild }: StoreGeneration, beside: string, byHand: string): string {
  return mayRebuild
    ? `Run \`lethe apply --rebuild\`: ${beside} is built beside it from rows that are read again, and takes its place when it has them all.`
    : byHand;
}
