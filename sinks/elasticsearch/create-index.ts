import type { Client } from '@elastic/elasticsearch';
import type { IndexDefinition } from './index-definition.ts';
import { send } from './request.ts';

/** Makes an index as its definition says, with these aliases and their definitions. */
export async function createIndex(
  client: Client,
  index: string,
  definition: IndexDefinition,
  aliases: Readonly<Record<string, object>>,
): Promise<void> {
  const body = {
    settings: { 'index.mapping.total_fields.limit': definition.totalFieldsLimit },
    mappings: { dynamic: 'strict', _meta: definition.mark, properties: definition.properties },
    aliases,
  };
  await send(client, 'PUT', `/${encodeURIComponent(index)}`, body, `create index ${index}`);
}

/** Deletes an index. */
export async function deleteIndex(client: Client, index: string): Promise<void> {
  await send(client, 'DELETE', `/${encodeURIComponent(index)}`, undefined, `delete index ${index}`);
}
