import { join } from 'node:path';
import type { Command } from 'commander';
import { expect } from 'vitest';
import { accessCommand } from '../../cli/access.ts';
import type { IssuedToken } from '../../keys/access/tokens.ts';
import type { AuditAction, AuditEntry } from '../../keys/audit/entry.ts';
import { lastEntries } from '../../keys/audit/read-audit.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import type { Config } from '../../schemas/config.ts';
import { LetheProject } from './lethe-project.ts';
import { type CommandResult, runCommand } from './run-command.ts';
import { acquireStack } from './stack.ts';

const contract = `table: public.people
owner: o
tier: 1
subject: { type: customer, key: id }
sinks: [elasticsearch]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  phone: { classification: person.contact, action: encrypt }
  card: { classification: payment.card, action: encrypt }
`;
const production = { environment: 'production', overrides: ['local-master-key', 'keys-beside-the-source'] };

/** A project in production, whose commands are run as one principal or another. */
export class GuardedProject {
  readonly project: LetheProject;
  /** By principal; whoever has none shows none. */
  readonly tokens = new Map<string, string>();
  config: Config;

  private constructor(project: LetheProject, config: Config) {
    this.project = project;
    this.config = config;
  }

  static async create(): Promise<GuardedProject> {
    const project = await LetheProject.create(await acquireStack(), {
      schema: 'create table people (id int primary key, phone text, card text)',
      contracts: { 'people.yaml': contract },
    });
    await project.writeConfig(production);
    expect(await project.lethe('apply')).toMatchObject({ code: 0 });
    return new GuardedProject(project, await project.config());
  }

  /** The configuration with more sections, for commands too. */
  async configure(sections: Readonly<Record<string, unknown>>): Promise<Config> {
    await this.project.writeConfig({ ...production, ...sections });
    return (this.config = await this.project.config());
  }

  async run(command: Command, who: string, ...args: string[]): Promise<CommandResult> {
    const env = { LETHE_TOKEN: this.tokens.get(who) ?? '' };
    return runCommand(command, [...args, '-c', join(this.project.folder, 'lethe.yaml')], env);
  }

  /** What a command says that is done. */
  async done<T>(command: Command, who: string, ...args: string[]): Promise<T> {
    const result = await this.run(command, who, ...args, '--json');
    expect(result, args.join(' ')).toMatchObject({ code: 0 });
    return JSON.parse(result.out) as T;
  }

  /** The audit's entry about a command that is refused. */
  async refused(command: Command, who: string, ...args: string[]): Promise<AuditEntry> {
    const before = (await this.entries('access-refused')).length;
    const result = await this.run(command, who, ...args);
    expect(result.err).toContain('ACCESS_REFUSED');
    expect(result.code).toBe(1);
    const after = await this.entries('access-refused');
    expect(after).toHaveLength(before + 1);
    return after.at(-1)!;
  }

  async entries(action: AuditAction): Promise<AuditEntry[]> {
    const all = await withKeyStore(this.config, (client) => lastEntries(client, 10_000));
    return all.filter((entry) => entry.action === action);
  }

  /** The first principal, `lead`, who manages access. */
  async addLead(): Promise<void> {
    const args = ['add', 'lead', '--role', 'compliance'];
    const { token } = await this.done<{ token: IssuedToken }>(accessCommand(), '', ...args);
    this.tokens.set('lead', token.text);
  }

  /** A principal with a token, made by `lead`. */
  async add(name: string, role: string): Promise<void> {
    await this.done(accessCommand(), 'lead', 'add', name, '--role', role);
    const { text } = await this.done<IssuedToken>(accessCommand(), 'lead', 'token', name);
    this.tokens.set(name, text);
  }

  async drop(): Promise<void> {
    await this.project.drop();
  }
}
