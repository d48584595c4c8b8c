import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import type { Config } from '../config.ts';
import { type Contract, tableParts } from '../contract.ts';
import type { SourceTable } from '../source-table.ts';
import { vocabulary } from '../vocabulary.ts';
import { columnType } from './column-type.ts';
import { toCustom } from './custom-properties.ts';
import { latencyOf } from './latency.ts';
import { odcsVersion } from './odcs-shape.ts';

/** A contract of the Open Data Contract Standard, ready to be written. */
export type OdcsContract = Readonly<Record<string, unknown>>;

/**
 * A contract in the form of the Open Data Contract Standard (v3.1.0, bitol.io): its own fields where it has them,
 * `lethe.*` custom properties for all else, so that nothing is lost. Of a table that is not given the types are left out.
 */
export function toOdcs(
  contract: Contract,
  config: Pick<Config, 'name' | 'postgres'>,
  table?: SourceTable,
): OdcsContract {
  const { table: name, owner, staleness, columns, ...rest } = contract;
  const parts = tableParts(name);
  return {
    apiVersion: odcsVersion,
    kind: 'DataContract',
    id: `${config.name}.${name}`,
    name,
    // A contract has no number of its own: this changes when it changes.
    version: createHash('sha256').update(JSON.stringify(contract)).digest('hex').slice(0, 16),
    status: 'active',
    servers: [
      { server: config.name, type: 'postgres', ...endpoint(config.postgres.url), schema: parts.schema },
    ],
    schema: [
      {
        name: parts.table,
        physicalName: parts.table,
        logicalType: 'object',
        physicalType: 'table',
        properties: Object.entries(columns).map(([column, { classification, ...rule }]) => ({
          name: column,
          ...columnType(table, column),
          classification,
          ...(vocabulary[classification].personal ? { tags: ['personal'] } : {}),
          customProperties: toCustom(rule),
        })),
        customProperties: toCustom({ table: name, ...rest }),
      },
    ],
    team: { name: owner },
    slaProperties: [latencyOf(staleness)],
  };
}

/** The contract as a file. */
export function odcsText(contract: OdcsContract): string {
  return stringify(contract, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** Where the database is; never who asks, nor with what password. */
function endpoint(url: string): { host: string; port: number; database: string } {
  const { hostname, port, pathname } = new URL(url);
  return { host: hostname, port: Number(port || 5432), database: decodeURIComponent(pathname.slice(1)) };
}
