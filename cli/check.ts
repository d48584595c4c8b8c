import { Command } from 'commander';
import { checkTable } from '../connectors/check-table.ts';
import { type Finding, hasErrors, sortFindings } from '../schemas/finding.ts';
import { findingsTable } from './findings-table.ts';
import { preflight } from './preflight.ts';
import { type ProjectFiles, readProjectFiles, readSourceCatalog } from './project.ts';

interface CheckFlags {
  readonly config: string;
  readonly offline?: true;
  readonly json?: true;
}

/** `lethe check`: every finding, in files and servers; exit 1 if one is an error. */
export function checkCommand(): Command {
  return new Command('check')
    .description('check lethe.yaml, the contracts and the servers; report every finding')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--offline', 'only what needs no server')
    .option('--json', 'print the findings as JSON')
    .action(async (flags: CheckFlags) => {
      const findings = await checkProject(flags.config, flags.offline === true);
      process.stdout.write(
        flags.json ? `${JSON.stringify({ ok: !hasErrors(findings), findings })}\n` : findingsTable(findings),
      );
      if (hasErrors(findings)) process.exitCode = 1;
    });
}

/** Every finding there is, sorted by place. */
export async function checkProject(configPath: string, offline: boolean): Promise<Finding[]> {
  const files = await readProjectFiles(configPath);
  const online = offline ? [] : await checkServers(files);
  return sortFindings([...files.findings, ...online]);
}

/** What the servers say of lethe.yaml and of the contracts that can be read. */
async function checkServers({ config, document, contracts }: ProjectFiles): Promise<Finding[]> {
  if (!config || !document) return [];
  const servers = await preflight(config, document);
  // Without the source the tables cannot be looked at; why is among the findings.
  if (servers.some((finding) => finding.field === 'postgres.url' && isUnreachable(finding))) return servers;
  const catalog = await readSourceCatalog(config, contracts);
  return [...servers, ...contracts.flatMap((loaded) => checkTable(loaded, catalog, contracts))];
}

function isUnreachable({ code }: Finding): boolean {
  return (
    code === 'UNREACHABLE' || code === 'AUTH_FAILED' || code === 'CONFIG_INVALID' || code === 'SERVER_FAILED'
  );
}
