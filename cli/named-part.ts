import type { Dataset } from '../schemas/dataset.ts';
import { didYouMean } from '../schemas/did-you-mean.ts';
import { LetheError } from '../schemas/errors.ts';
import { type SinkName, sinkNames } from '../schemas/sink-name.ts';

/** The table that is named; without a schema it is one of public. CONFIG_INVALID if no contract is of it. */
export function namedTable(datasets: readonly Dataset[], name: string): Dataset {
  const found = datasets.find(({ table }) => table === name || table === `public.${name}`);
  if (found) return found;
  const known = datasets.map(({ table }) => table);
  throw new LetheError('CONFIG_INVALID', `no contract is of such a table.${didYouMean(name, known)}`, {
    fix: `Give one of: ${known.join(', ')}.`,
  });
}

/** The sink that is named. CONFIG_INVALID if the table does not go there. */
export function namedSink({ table, contract }: Dataset, name: string): SinkName {
  const found = sinkNames.find((sink) => sink === name);
  if (found && contract.sinks.includes(found)) return found;
  throw new LetheError('CONFIG_INVALID', `${table} goes to no such sink`, {
    fix: `Give one of: ${contract.sinks.join(', ')}.`,
  });
}
