import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Client } from 'pg';
import { parseDocument } from 'yaml';
import { applyCommand } from '../../cli/apply.ts';
import { readContractStatus } from '../../cli/contract-status.ts';
import { dlqCommand } from '../../cli/dlq.ts';
import { migrateCommand } from '../../cli/migrate.ts';
import { planCommand } from '../../cli/plan.ts';
import { reconcileCommand } from '../../cli/reconcile.ts';
import type { Advice, ContractEdit, MigrationStep } from '../../connectors/ddl/advice.ts';
import { type Instance, type LivePipeline, waitUntil } from './live-pipeline.ts';
import { type CommandResult, runCommand } from './run-command.ts';

const commands = [applyCommand, dlqCommand, migrateCommand, planCommand, reconcileCommand];

/** What `lethe migrate` printed, and the code that it ended with. */
export interface Migration {
  readonly code: number;
  readonly statements: readonly Advice[];
  readonly tried: readonly { readonly statement: string; readonly sqlstate: string }[];
}

/** Does what `lethe migrate` prints, as an operator would: each step as it stands there, one after the other. */
export class StepFollower {
  private readonly live: LivePipeline;
  private readonly client: Client;
  instance: Instance;

  constructor(live: LivePipeline, client: Client, instance: Instance) {
    this.live = live;
    this.client = client;
    this.instance = instance;
  }

  /** Tries the statements again where the application held the table: a lock that is not to be had says nothing. */
  async migrate(statements: string): Promise<Migration> {
    for (let attempt = 1; ; attempt++) {
      const { code, out, err } = await this.lethe(['migrate', statements, '--try', '--json']);
      if (out === '') throw new Error(err);
      const migration = { code, ...(JSON.parse(out) as Omit<Migration, 'code'>) };
      const isBusy = migration.tried.some(({ sqlstate }) => ['55P03', '57014'].includes(sqlstate));
      if (!isBusy || attempt === 20) return migration;
    }
  }

  async follow(steps: readonly MigrationStep[]): Promise<void> {
    for (const step of steps) await this.step(step);
  }

  private async step(step: MigrationStep): Promise<void> {
    if (step.kind === 'sql') await this.client.query(step.text);
    if (step.kind === 'edit') this.edit(resolve(this.live.folder, step.file!), step.edit!);
    if (step.kind === 'restart') await this.restart();
    if (step.kind === 'wait') await waitUntil(() => this.isReadAgain(), 240_000, step.text);
    if (step.kind !== 'run') return;
    for (let attempt = 1; ; attempt++) {
      const { code, out, err } = await this.lethe(step.text.replace(/^lethe /, '').split(' '));
      if (code === 0) return;
      const saysSo = err.includes('run `lethe apply` again');
      if (!saysSo || attempt === 4) throw new Error(`${step.text} ended with ${code}:\n${out}${err}`);
    }
  }

  private async isReadAgain(): Promise<boolean> {
    const { config, datasets, catalog } = await this.live.open();
    const contracts = await readContractStatus(config, datasets, catalog);
    return contracts.every(({ left }) => (left?.inForce ?? 0) === 0);
  }

  private edit(file: string, edit: ContractEdit): void {
    if ('delete' in edit) return rmSync(file);
    const document = parseDocument(readFileSync(file, 'utf8'));
    if ('remove' in edit) document.deleteIn(edit.remove);
    if ('put' in edit) document.setIn(edit.put, edit.rule);
    if ('rename' in edit) {
      document.setIn([...edit.rename.slice(0, -1), edit.to], document.getIn(edit.rename));
      document.deleteIn(edit.rename);
    }
    writeFileSync(file, document.toString());
  }

  private async restart(): Promise<void> {
    const old = this.instance;
    this.instance = this.live.run();
    await this.live.ready(this.instance);
    old.child.kill('SIGTERM');
    await old.ended;
  }

  /** A command as it would be typed, in this process. */
  private async lethe([name, ...args]: readonly string[]): Promise<CommandResult> {
    const command = commands.map((make) => make()).find((one) => one.name() === name);
    if (!command) throw new Error(`no step has the command ${name}`);
    // A command of commands takes its options behind their names.
    return await runCommand(command, [...args, '-c', this.live.configPath], this.live.env);
  }
}
