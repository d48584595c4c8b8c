import type { Catalog, CatalogColumn, CatalogTable } from '../../connectors/postgres/catalog.ts';
import { type Config, configShape } from '../../schemas/config.ts';
import { contractShape } from '../../schemas/contract.ts';
import type { LoadedContract } from '../../schemas/load-contracts.ts';
import { parseSource } from '../../schemas/source-document.ts';

/** A contract of a YAML text that has no findings of its own. */
export function contractOf(text: string, file = 'contracts/a.yaml'): LoadedContract {
  const { document } = parseSource(file, text);
  return { document: document!, contract: contractShape.parse(document!.value) };
}

/** A configuration of a pipeline `shop`; parts replace those of it. */
export function configOf(parts: Partial<Record<keyof Config, unknown>> = {}): Config {
  return configShape.parse({
    name: 'shop',
    postgres: { url: 'postgres://app@db.example:5433/shop', password: 'secret-of-postgres' },
    kafka: { brokers: ['a.example:9092', 'b.example:9092'] },
    connect: { url: 'http://connect.example:8083' },
    registry: { url: 'http://registry.example:8081/apis/ccompat/v7' },
    elasticsearch: { url: 'http://es.example:9200' },
    clickhouse: { url: 'http://ch.example:8123' },
    keys: {
      url: 'postgres://app@db.example:5433/keys',
      master: { kind: 'local', file: '/nowhere/master.json' },
    },
    ...parts,
  });
}

/** `text not null` and its like: a column as the catalog gives it. */
export function columnOf(name: string, typeName: string, rest: Partial<CatalogColumn> = {}): CatalogColumn {
  return {
    name,
    typeName,
    typeKind: 'b',
    typeText: typeName,
    nullable: true,
    generated: (rest.generation ?? 'none') !== 'none',
    generation: 'none',
    readable: true,
    ...rest,
  };
}

/** `public.customers (id int primary key, email text)`; parts replace those of it. */
export function tableOf(parts: Partial<CatalogTable> = {}): CatalogTable {
  return {
    table: 'public.customers',
    columns: [columnOf('id', 'int4', { nullable: false }), columnOf('email', 'text')],
    primaryKey: ['id'],
    keyDeferrable: false,
    replicaIdentity: 'default',
    relKind: 'r',
    persistence: 'p',
    hasChildren: false,
    owned: true,
    rowsHidden: false,
    ...parts,
  };
}

export function catalogOf(table: CatalogTable | undefined, serverVersion = 180004): Catalog {
  return {
    serverVersion,
    tables: new Map(table ? [[table.table, table]] : []),
    names: ['public.customers', 'public.orders'],
  };
}
