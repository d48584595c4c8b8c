import type { OpenLetter } from '../../pipeline/open-letters.ts';
import type { LetterPayload } from '../../pipeline/purge-letters.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { isOfRecord } from '../../schemas/playbooks.ts';
import { encodeRecordKey } from '../../schemas/record-key.ts';
import { Registry } from '../../schemas/registry.ts';
import { SourceKeys } from '../../transforms/source-keys.ts';

/** Tells dead letters of persons from those of others. */
export class SubjectLetters {
  readonly #keys: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #values: readonly Buffer[];
  readonly #readers: ReadonlyMap<string, SourceKeys>;

  /** `keys`: by table those of the persons' rows, as consumers see them and as the source has them. `values`: what is nobody else's. */
  constructor(
    config: Pick<Config, 'registry'>,
    datasets: readonly Dataset[],
    keys: ReadonlyMap<string, ReadonlySet<string>>,
    values: readonly Buffer[] = [],
  ) {
    const registry = new Registry(config.registry);
    this.#keys = keys;
    this.#values = values;
    this.#readers = new Map(
      datasets.map((dataset) => [dataset.table, new SourceKeys(dataset, (id) => registry.writerSchema(id))]),
    );
  }

  /** The letter is about a row of theirs, or has one of their values. */
  async concerns({ table, stage }: OpenLetter, { key, value }: LetterPayload): Promise<boolean> {
    const read = stage === 'transform' ? await sourceKeyIn(this.#readers.get(table), key) : key?.toString();
    if (read !== undefined && this.#keys.get(table)?.has(read)) return true;
    return this.#values.some((bytes) => key?.includes(bytes) === true || value?.includes(bytes) === true);
  }
}

/** The key of a raw record as the source has it; undefined for what is no key of the table. */
async function sourceKeyIn(reader: SourceKeys | undefined, key: Buffer | null): Promise<string | undefined> {
  try {
    return reader && key ? encodeRecordKey(await reader.read(key)) : undefined;
  } catch (error) {
    if (error instanceof LetheError && isOfRecord(error)) return undefined;
    throw error;
  }
}
