import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Client } from 'pg';
import { parseDocument } from 'yaml';
import type { Advice, ContractEdit, MigrationStep } from '../../connectors/ddl/advice.ts';
import { packageRoot } from '../../stack/package-root.ts';
import type { Instance, LivePipeline } from './live-pipeline.ts';

const execute = promisify(execFile);

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

  async migrate(statement: string): Promise<Migration> {
    const { code, out, err } = await this.lethe(['migrate', statement, '--try', '--json']);
    if (out === '') throw new Error(err);
    return { code, ...(JSON.parse(out) as Omit<Migration, 'code'>) };
  }

  async follow(steps: readonly MigrationStep[]): Promise<void> {
    for (const step of steps) await this.step(step);
  }

  private async step(step: MigrationStep): Promise<void> {
    if (step.kind === 'sql') await this.client.query(step.text);
    if (step.kind === 'edit') this.edit(join(this.live.folder, step.file!), step.edit!);
    if (step.kind === 'restart') await this.restart();
    if (step.kind !== 'run') return;
    const { code, out, err } = await this.lethe(step.text.replace(/^lethe /, '').split(' '));
    if (code !== 0) throw new Error(`${step.text} ended with ${code}:\n${out}${err}`);
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

  private async lethe(args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
    const main = join(packageRoot(), 'dist', 'cli', 'main.js');
    const options = { cwd: this.live.folder, env: { ...process.env, ...this.live.env } };
    try {
      const { stdout, stderr } = await execute(process.execPath, [main, ...args], options);
      return { code: 0, out: stdout, err: stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, out: stdout, err: stderr };
    }
  }
}
