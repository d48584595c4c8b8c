import type { Config } from '../../schemas/config.ts';
import { permitted } from '../permitted.ts';

/** ACCESS_REFUSED for whoever may not see what letters of these tables hold: his role must let him, or an open glass for each of them. */
export async function mayOpen(config: Config, tables: readonly string[]): Promise<void> {
  const all = [...new Set(tables)];
  await permitted(config, 'payload:read', { glass: all.map((table) => ({ kind: 'payload', table })) });
}
