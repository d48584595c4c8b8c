import type { Place } from '../scan.ts';
import { readEveryFile, searchFile } from './files.ts';

/** Log files of the servers and of Lethe's own processes: each path is a file, or a folder with all below it. */
export function logsPlace(paths: readonly string[], name = 'logs'): Place {
  return {
    name,
    search: (search) => readEveryFile(search, paths, (file) => searchFile(search, file.path)),
  };
}
