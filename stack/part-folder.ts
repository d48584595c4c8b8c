import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PartName } from './part-name.ts';

/** Where the files of one part lie. */
export interface PartFolder {
  readonly root: string;
  /** What must survive `down` and a crash. For Postgres this may be a link, see `parts/postgres-owner.ts`. */
  readonly data: string;
  readonly conf: string;
  readonly tmp: string;
  readonly logFile: string;
  readonly pidFile: string;
}

/** The folder of a part below the folder of its stack. */
export function partFolder(stackDir: string, part: PartName): PartFolder {
  const root = join(stackDir, part);
  return {
    root,
    data: join(root, 'data'),
    conf: join(root, 'conf'),
    tmp: join(root, 'tmp'),
    logFile: join(root, `${part}.log`),
    pidFile: join(root, `${part}.pid`),
  };
}

/** Makes the folders of a part that every server writes to. */
export function makePartFolder(folder: PartFolder): void {
  for (const path of [folder.root, folder.data, folder.conf, folder.tmp])
    mkdirSync(path, { recursive: true });
}
