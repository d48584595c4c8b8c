import type { Client } from '@elastic/elasticsearch';
import type { CopyState, StoreCopy } from '../../pipeline/store-copy.ts';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, sinkDataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { copyAlias, indexAlias, indexName, writeAlias } from '../../schemas/names.ts';
import { createIndex, deleteIndex } from './create-index.ts';
import { eventIdsBehind } from './event-ids.ts';
import { type OwnIndex, readOwnIndexes } from './generations.ts';
import { aliasDefinition, indexDefinition } from './index-definition.ts';
import { misfits } from './misfits.ts';
import { send } from './request.ts';

type Named = Pick<Config, 'name' | 'topics'>;

/**
 * An index that is rebuilt: each role is an alias, and one call turns all of them. Sinks write through an alias of their own; taken away,
 * they try again until it stands on an index.
 */
export function elasticsearchCopy(
  config: Named,
  dataset: Dataset,
  generation: number,
  client: Client,
): StoreCopy {
  const { table } = dataset;
  const definition = indexDefinition(config, sinkDataset(dataset, 'elasticsearch'));
  const [alias, writes] = [indexAlias(config, table), writeAlias(config, table, generation)] as const;
  const [next, past, kept] = (['next', 'past', 'kept'] as const).map((role) =>
    copyAlias(config, table, role),
  ) as [string, string, string];
  const look = () => readOwnIndexes(client, config, table);
  const turn = (actions: readonly object[], what: string) =>
    send(client, 'POST', '/_aliases', { actions }, what);

  async function live(): Promise<OwnIndex> {
    const found = (await look()).find((index) => Object.hasOwn(index.aliases, alias));
    if (found?.generation === generation && found.role === undefined) return found;
    throw new LetheError('PLAN_REFUSED', `no index of ${table} is there that could be replaced`, {
      fix: 'Run `lethe apply` first.',
    });
  }

  async function inRole(role: OwnIndex['role']): Promise<OwnIndex | undefined> {
    return (await look()).find((index) => index.role === role);
  }

  return {
    async state(): Promise<CopyState> {
      const roles = new Set((await look()).map(({ role }) => role));
      if (roles.has('kept')) return 'kept';
      if (roles.has('past')) return 'swapped';
      return roles.has('next') ? 'building' : 'none';
    },
    async beside() {
      return (await look()).find(({ role }) => role !== undefined)?.name;
    },
    async prepare() {
      await live();
      const begun = await inRole('next');
      if (begun?.generation === generation && misfits(begun, definition).length === 0) return;
      if (begun) await deleteIndex(client, begun.name);
      const own = (await look()).filter((index) => index.generation === generation);
      const copy = Math.max(...own.map((index) => index.copy)) + 1;
      await createIndex(client, indexName(config, table, generation, copy), definition, { [next]: {} });
    },
    eventIds: () => eventIdsBehind(client, next),
    async hold() {
      const { name, aliases } = await live();
      if (!Object.hasOwn(aliases, writes)) return;
      await turn([{ remove: { index: name, alias: writes } }], `hold the writes to ${name}`);
    },
    async release() {
      const { name } = await live();
      await turn([{ add: { index: name, alias: writes } }], `set alias ${writes}`);
    },
    async swap() {
      const [old, begun] = [await live(), await inRole('next')];
      if (!begun) throw new LetheError('PLAN_REFUSED', `no index of ${table} was built`);
      // Readers must find there what they found in the old one.
      await send(client, 'POST', `/${encodeURIComponent(begun.name)}/_refresh`, undefined, 'refresh');
      const actions = [
        { remove: { index: old.name, alias } },
        { remove: { index: old.name, alias: writes, must_exist: false } },
        { add: { index: old.name, alias: past, ...aliasDefinition } },
        { remove: { index: begun.name, alias: next } },
        { add: { index: begun.name, alias: writes } },
        { add: { index: begun.name, alias, ...aliasDefinition } },
      ];
      await turn(actions, `set alias ${alias}`);
    },
    async keep() {
      const old = await inRole('past');
      if (!old) return;
      const actions = [
        { remove: { index: old.name, alias: past } },
        { add: { index: old.name, alias: kept, ...aliasDefinition } },
      ];
      await turn(actions, `set alias ${kept}`);
    },
    async drop() {
      for (const { name, role } of await look())
        if (role === 'next' || role === 'kept') await deleteIndex(client, name);
    },
  };
}
