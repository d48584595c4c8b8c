import { Command, InvalidArgumentError, Option } from 'commander';
import { grantAccess, revokeGrant } from '../keys/access/grants.ts';
import { listAccess } from '../keys/access/list-access.ts';
import { isRole, type Role, roles } from '../keys/access/permissions.ts';
import { addPrincipal, disablePrincipal } from '../keys/access/principals.ts';
import { defaultTokenMs, type IssuedToken, issueToken, revokeToken } from '../keys/access/tokens.ts';
import type { Config } from '../schemas/config.ts';
import { anchorKeys, requireAnchored } from './anchored-keys.ts';
import { parseTimeMs } from './duration-option.ts';
import { keysConfig } from './keys-config.ts';
import { permitted } from './permitted.ts';
import { renderAccess } from './show-access.ts';

interface Flags {
  readonly config: string;
  readonly json?: true;
}

/** `lethe access`: who may do what with keys and what they protect. */
export function accessCommand(): Command {
  return new Command('access')
    .description('who may do what: principals, their tokens, and grants to decrypt')
    .addCommand(addCommand())
    .addCommand(tokenCommand())
    .addCommand(grantCommand())
    .addCommand(revokeCommand())
    .addCommand(listCommand());
}

function addCommand(): Command {
  return common('add', 'make a principal; the first one manages access, and gets a token at once')
    .argument('<name>', 'of a job or a service rather than of a person: the audit keeps it for good')
    .addOption(new Option('--role <role>', roles.join(', ')).argParser(parseRole).makeOptionMandatory())
    .addOption(expires('of the first one’s token'))
    .action(async (name: string, { role, expires: tokenMs, ...flags }: Flags & AddFlags) => {
      const token = await managed(flags, (config, by) => addPrincipal(config, { name, role, tokenMs }, by));
      if (flags.json) return print({ name, role, ...(token ? { token } : {}) });
      process.stdout.write(`${name} is there, as ${role}\n${token ? tokenText(token) : ''}`);
    });
}

interface AddFlags {
  readonly role: Role;
  readonly expires: number;
}

function tokenCommand(): Command {
  return common('token', 'make a token of a principal; it is shown once and kept nowhere')
    .argument('<name>')
    .addOption(expires('how long it is valid'))
    .action(async (name: string, { expires: validMs, ...flags }: Flags & { readonly expires: number }) => {
      const token = await managed(flags, (config, by) => issueToken(config, name, validMs, by));
      if (flags.json) return print(token);
      process.stdout.write(tokenText(token));
    });
}

interface GrantFlags {
  readonly table: string;
  readonly classification: string;
  readonly why: string;
  readonly expires?: number;
}

function grantCommand(): Command {
  return common('grant', 'let a consumer decrypt what stands in a table under a classification')
    .argument('<name>', 'of a consumer; or oidc:<subject>')
    .requiredOption('--table <table>', 'schema.table, or * for all')
    .requiredOption('--classification <classification>', 'as the contract has it, or * for all')
    .requiredOption('--why <purpose>', 'what it is needed for; no personal data')
    .option('--expires <duration>', 'how long; default: until it is revoked', parseTimeMs)
    .action(async (principal: string, { expires: validMs, ...flags }: Flags & GrantFlags) => {
      const { table, classification, why } = flags;
      const request = {
        principal,
        table,
        classification,
        why,
        ...(validMs === undefined ? {} : { validMs }),
      };
      const grant = await managed(flags, (config, by) => grantAccess(config, request, by));
      if (flags.json) return print({ grant });
      process.stdout.write(`grant ${grant}: ${principal} may decrypt ${classification} of ${table}\n`);
    });
}

interface RevokeFlags {
  readonly token?: string;
  readonly grant?: string;
}

function revokeCommand(): Command {
  return common('revoke', 'keep a principal out for good; or take one token or one grant back')
    .argument('<name>')
    .addOption(new Option('--token <id>', 'this token alone').conflicts('grant'))
    .addOption(new Option('--grant <id>', 'this grant alone'))
    .action(async (name: string, { token, grant, ...flags }: Flags & RevokeFlags) => {
      await managed(flags, async (config, by) => {
        if (token !== undefined) await revokeToken(config, name, token, by);
        else if (grant !== undefined) await revokeGrant(config, name, grant, by);
        else await disablePrincipal(config, name, by);
      });
      const what = token !== undefined ? `token ${token}` : grant !== undefined ? `grant ${grant}` : name;
      if (flags.json) return print({ revoked: what });
      process.stdout.write(`${what} is revoked\n`);
    });
}

function listCommand(): Command {
  return common('list', 'all principals, their tokens and grants').action(async (flags: Flags) => {
    const config = await keysConfig(flags.config);
    await permitted(config, 'audit:read');
    const list = await listAccess(config);
    if (flags.json) return print(list);
    process.stdout.write(renderAccess(list));
  });
}

/** Does it as whoever may manage access, and notes how far the audit has come then. */
async function managed<T>(flags: Flags, work: (config: Config, by: string) => Promise<T>): Promise<T> {
  const config = await keysConfig(flags.config);
  await requireAnchored(config);
  const { name } = await permitted(config, 'access:manage');
  const done = await work(config, name);
  await anchorKeys(config);
  return done;
}

function common(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON');
}

function expires(what: string): Option {
  return new Option('--expires <duration>', `${what}; a year at most`)
    .argParser(parseTimeMs)
    .default(defaultTokenMs, '90d');
}

function parseRole(text: string): Role {
  if (isRole(text)) return text;
  throw new InvalidArgumentError(`It must be one of: ${roles.join(', ')}.`);
}

function tokenText({ id, text, expiresAt }: IssuedToken): string {
  return `${text}\nThis is the only time that it is shown. Token ${id} is valid until ${expiresAt.toISOString()}; set LETHE_TOKEN to it.\n`;
}

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
