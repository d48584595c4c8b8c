import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { configShape } from '../schemas/config.ts';
import { cleanTopic } from '../schemas/names.ts';
import { fillSecrets } from '../schemas/secrets.ts';
import { parseSource } from '../schemas/source-document.ts';

/** What a comparison of contracts takes from lethe.yaml. */
export interface ContractsPlace {
  /** The folder of the contracts, relative to that of lethe.yaml unless it is absolute. */
  readonly folder: string;
  /** The file of the house rules, likewise; undefined if there is none. */
  readonly rules?: string;
  /** The clean topic of a table; the table itself where topics.prefix is not known. */
  readonly topicOf: (table: string) => string;
}

const { name, contracts, rules, topics } = configShape.shape;
const needed = z.object({ name, contracts, rules, topics });

/**
 * Reads of lethe.yaml's text only what is needed, so that a comparison needs no server's secret. Where even that cannot be read, the
 * folder is the one that lethe.yaml has by default.
 */
export async function contractsPlace(configPath: string, text: string | undefined): Promise<ContractsPlace> {
  const unknown: ContractsPlace = { folder: contracts.parse(undefined), topicOf: (table) => table };
  const { document } = parseSource(configPath, text ?? '');
  if (!document) return unknown;
  const { value } = document;
  const parts = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const filled = await fillSecrets(
    { name: parts['name'], contracts: parts['contracts'], rules: parts['rules'], topics: parts['topics'] },
    { folder: dirname(resolve(configPath)), env: process.env },
  );
  const parsed = needed.safeParse(filled.value);
  if (!parsed.success || filled.failures.length > 0) return unknown;
  return {
    folder: parsed.data.contracts,
    ...(parsed.data.rules === undefined ? {} : { rules: parsed.data.rules }),
    topicOf: (table) => cleanTopic(parsed.data, table),
  };
}
