import type { Config } from '../../schemas/config.ts';
import { connectorName, publicationName, slotName } from '../../schemas/names.ts';
import { quoteName } from '../postgres/quote.ts';
import { withSource } from '../postgres/source-client.ts';
import { ConnectClient } from './connect-client.ts';

const limitMs = 60_000;
const pollMs = 100;

/**
 * Takes the capture away: connector, its position, slot and publication. The position goes too: with it a
 * connector of the same name would go on where no slot has kept anything.
 */
export async function deleteCapture(
  config: Pick<Config, 'name' | 'topics' | 'postgres' | 'connect'>,
): Promise<void> {
  const connect = new ConnectClient(config.connect);
  const name = connectorName(config);
  if (await connect.config(name)) {
    await connect.stop(name);
    await until(() => connect.deleteOffsets(name));
    await connect.deleteConnector(name);
  }
  await withSource(config.postgres, async (client) => {
    await until(async () => {
      const { rows } = await client.query<{ active: boolean }>(
        'select active from pg_catalog.pg_replication_slots where slot_name = $1',
        [slotName(config)],
      );
      return rows[0]?.active !== true;
    });
    await client.query(
      'select pg_drop_replication_slot(slot_name) from pg_catalog.pg_replication_slots where slot_name = $1',
      [slotName(config)],
    );
    await client.query(`drop publication if exists ${quoteName(publicationName(config))}`);
  });
}

async function until(done: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await done()) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
