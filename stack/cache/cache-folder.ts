import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** The folder that all checkouts share for what they downloaded: $LETHE_CACHE, or `lethe` in the user's cache. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env, home: string = homedir()): string {
  const own = env['LETHE_CACHE'];
  if (own !== undefined && own !== '') return resolve(own);
  const xdg = env['XDG_CACHE_HOME'];
  // The XDG specification: a relative path is invalid and must be ignored.
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(home, '.cache');
  return join(base, 'lethe');
}
