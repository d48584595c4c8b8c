import type { Config } from '../schemas/config.ts';
import { hasErrors } from '../schemas/finding.ts';
import { FindingsError } from '../schemas/findings-error.ts';
import { readProjectFiles } from './project.ts';

/** lethe.yaml for a command that needs nothing but the key store: what is wrong with contracts is not its business. */
export async function keysConfig(path: string): Promise<Config> {
  const { config, findings } = await readProjectFiles(path);
  const own = findings.filter(({ file }) => file === path);
  if (!config || hasErrors(own)) throw new FindingsError('CONFIG_INVALID', own.length > 0 ? own : findings);
  return config;
}
