import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of package.json, found upwards: assets lie there whether this runs from the source or from dist. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('package.json was not found above the stack module');
    folder = parent;
  }
  return folder;
}

/** Path of a file that is shipped beside the TypeScript source of the stack. */
export function stackAsset(...segments: string[]): string {
  return join(packageRoot(), 'stack', ...segments);
}
