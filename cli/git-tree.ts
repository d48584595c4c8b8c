import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { LetheError } from '../schemas/errors.ts';
import type { ContractFile } from '../schemas/load-contracts.ts';

const run = promisify(execFile);
const outputBytes = 64 * 1024 * 1024;

/** The files of a commit, read by git itself and without a shell. */
export class GitTree {
  private readonly root: string;
  private readonly commit: string;
  private readonly ref: string;

  private constructor(root: string, commit: string, ref: string) {
    this.root = root;
    this.commit = commit;
    this.ref = ref;
  }

  /** The commit that `ref` names in the repository that `folder` lies in; CONFIG_INVALID if there is none, or no git. */
  static async open(folder: string, ref: string): Promise<GitTree> {
    const root = await git(folder, ['rev-parse', '--show-toplevel'], () => [
      `${folder} does not lie in a git repository`,
      'Compare with another folder of contracts: --from FOLDER.',
    ]);
    const unknown = (): readonly [string, string] => [
      `git knows no commit ${ref}`,
      'Name a branch, tag or commit that is here; a shallow clone has to fetch it first.',
    ];
    // No ref may be taken for an option.
    if (ref.startsWith('-')) throw new LetheError('CONFIG_INVALID', unknown()[0], { fix: unknown()[1] });
    const commit = await git(folder, ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], unknown);
    return new GitTree(root.trim(), commit.trim(), ref);
  }

  /** The files directly in a folder of the working tree as the commit has them; none if it has no such folder. */
  async filesIn(folder: string): Promise<ContractFile[]> {
    const within = await this.pathOf(folder);
    const files: ContractFile[] = [];
    for (const entry of await this.entries(within === '' ? [] : [`${within}/`])) {
      files.push({ file: `${this.ref}:${entry.path}`, text: await this.blob(entry.id) });
    }
    return files;
  }

  /** One file of the working tree as the commit has it; no text if it has no such file. */
  async fileAt(path: string): Promise<{ readonly file: string; readonly text?: string }> {
    const within = await this.pathOf(path);
    const [entry] = await this.entries([within]);
    const file = `${this.ref}:${within}`;
    return entry ? { file, text: await this.blob(entry.id) } : { file };
  }

  /** As the commit has it, from the root; the file itself need not be there any more. */
  private async pathOf(path: string): Promise<string> {
    const within = relative(this.root, await realPath(path));
    if (within !== '..' && !within.startsWith('../')) return within;
    throw new LetheError('CONFIG_INVALID', `${path} lies outside of the git repository`, {
      fix: 'Compare with another folder of contracts: --from FOLDER.',
    });
  }

  private async entries(paths: readonly string[]): Promise<{ path: string; id: string }[]> {
    const list = await this.git(['ls-tree', '-z', '--full-tree', this.commit, '--', ...paths]);
    return list.split('\0').flatMap((line) => {
      const parts = /^\d+ blob (\w+)\t(.+)$/s.exec(line);
      return parts ? [{ id: parts[1]!, path: parts[2]! }] : [];
    });
  }

  private blob(id: string): Promise<string> {
    return this.git(['cat-file', 'blob', id]);
  }

  private git(args: readonly string[]): Promise<string> {
    return git(this.root, args, () => [
      `git cannot read ${this.ref}`,
      'See whether git itself can: git fsck.',
    ]);
  }
}

/** The real path of the nearest folder that is there, and the rest as it is. */
async function realPath(path: string): Promise<string> {
  const parent = join(path, '..');
  try {
    return await realpath(path);
  } catch {
    return parent === path ? path : join(await realPath(parent), relative(parent, path));
  }
}

/** A hook of git names the repository by a path that is right only where the hook runs. */
const { GIT_DIR: _dir, GIT_WORK_TREE: _tree, GIT_INDEX_FILE: _index, ...env } = process.env;

/** Runs git; its messages are not repeated, they quote what is in files. */
async function git(
  folder: string,
  args: readonly string[],
  problem: () => readonly [message: string, fix: string],
): Promise<string> {
  try {
    const { stdout } = await run('git', [...args], { cwd: folder, env, maxBuffer: outputBytes });
    return stdout;
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ENOENT') {
      throw new LetheError('CONFIG_INVALID', 'git is not installed, or the folder is not there', {
        fix: 'Install git, or compare with another folder of contracts: --from FOLDER.',
      });
    }
    const [message, fix] = problem();
    throw new LetheError('CONFIG_INVALID', message, { fix });
  }
}
