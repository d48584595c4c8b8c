import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { checkRule } from '../schemas/check-rule.ts';
import { type Change, severities, type ChangeSeverity } from '../schemas/diff/change.ts';
import { contractChanges } from '../schemas/diff/contract-changes.ts';
import { hasErrors } from '../schemas/finding.ts';
import { FindingsError } from '../schemas/findings-error.ts';
import {
  type LoadedHouseRules,
  loadHouseRules,
  parseHouseRules,
  unreadableRules,
} from '../schemas/house-rules/load-rules.ts';
import { withRules } from '../schemas/house-rules/with-rules.ts';
import { type LoadedContracts, loadContracts, parseContracts } from '../schemas/load-contracts.ts';
import { contractsPlace } from './contracts-place.ts';
import { GitTree } from './git-tree.ts';
import { showChanges } from './show-changes.ts';

interface DiffFlags {
  readonly config: string;
  readonly against: string;
  readonly from?: string;
  readonly failOn?: ChangeSeverity;
  readonly json?: true;
}

/** `lethe diff`: what a change of the contracts means for people; exit 1 where that was asked for with --fail-on. */
export function diffCommand(): Command {
  return new Command('diff')
    .description('say what a change of the contracts means for people; needs no server')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .addOption(
      new Option('--against <ref>', 'compare with the contracts of a git commit')
        .default('HEAD')
        .conflicts('from'),
    )
    .option('--from <folder>', 'compare with the contracts of another folder')
    .addOption(
      new Option('--fail-on <severity>', 'exit 1 at a change that is this or worse').choices(severities),
    )
    .option('--json', 'print the changes as JSON')
    .action(async (flags: DiffFlags) => {
      const changes = await diffContracts(flags.config, flags);
      const since = flags.from ?? flags.against;
      process.stdout.write(flags.json ? `${JSON.stringify({ changes })}\n` : showChanges(changes, since));
      const { failOn } = flags;
      if (failOn !== undefined && changes.some(({ severity }) => isAtLeast(severity, failOn))) {
        process.exitCode = 1;
      }
    });
}

/**
 * The changes from the contracts of a git ref, or of another folder, to those in the files. Throws a FindingsError for a contract of
 * either side that cannot be used, CONFIG_INVALID where git has nothing to compare with.
 */
export async function diffContracts(
  configPath: string,
  { against, from }: { readonly against: string; readonly from?: string },
): Promise<Change[]> {
  const folder = dirname(resolve(configPath));
  const config = await readFile(configPath, 'utf8').catch(() => undefined);
  const place = await contractsPlace(configPath, config);
  const rules =
    place.rules === undefined ? undefined : await loadHouseRules(besides(configPath, place.rules));
  const contractsIn = async (contracts: string) =>
    usable(withRules(await loadContracts(contracts, rules?.house), rules));
  const now = await contractsIn(besides(configPath, place.folder));
  const before =
    from === undefined ? usable(await contractsAt(configPath, folder, against)) : await contractsIn(from);
  return contractChanges(before, now, place);
}

/** The contracts of a commit, from the folder and under the house rules that its own lethe.yaml names. */
async function contractsAt(configPath: string, folder: string, ref: string): Promise<LoadedContracts> {
  const tree = await GitTree.open(folder, ref);
  const place = await contractsPlace(configPath, (await tree.fileAt(resolve(configPath))).text);
  const files = await tree.filesIn(resolve(folder, place.folder));
  const rules = place.rules === undefined ? undefined : await rulesAt(tree, resolve(folder, place.rules));
  return withRules(
    parseContracts(
      files.filter(({ file }) => /\.ya?ml$/.test(file)),
      rules?.house,
    ),
    rules,
  );
}

async function rulesAt(tree: GitTree, path: string): Promise<LoadedHouseRules> {
  const { file, text } = await tree.fileAt(path);
  return text === undefined ? unreadableRules(file, 'not in this commit') : parseHouseRules(file, text);
}

/** Contracts without an error: of one that means two things nobody can say what it lets pass. */
function usable({ contracts, findings }: LoadedContracts) {
  const all = [
    ...findings,
    ...contracts.flatMap((loaded) =>
      Object.entries(loaded.contract.columns).flatMap(([name, rule]) =>
        checkRule(loaded, ['columns', name], rule),
      ),
    ),
  ];
  if (hasErrors(all)) throw new FindingsError('CONTRACT_INVALID', all);
  return contracts.map(({ contract }) => contract);
}

/** A path of lethe.yaml as a person would name it from here. */
function besides(configPath: string, path: string): string {
  return path.startsWith('/') ? path : join(dirname(configPath), path);
}

function isAtLeast(severity: ChangeSeverity, bound: ChangeSeverity): boolean {
  return severities.indexOf(severity) <= severities.indexOf(bound);
}
