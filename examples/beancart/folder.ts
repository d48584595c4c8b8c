import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The folder with BeanCart's SQL and YAML. They are not compiled, so from `dist/` it is the one in the checkout
 * around it.
 */
export function beancartFolder(): string {
  let at = import.meta.dirname;
  for (;;) {
    const folder = join(at, 'examples', 'beancart');
    if (existsSync(join(folder, 'schema.sql'))) return folder;
    const up = dirname(at);
    if (up === at) throw new Error(`no examples/beancart/schema.sql above ${import.meta.dirname}`);
    at = up;
  }
}
