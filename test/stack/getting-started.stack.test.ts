import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../../stack/package-root.ts';
import { LetheProject } from '../support/lethe-project.ts';
import { projectText } from '../support/project-tree.ts';
import { acquireStack } from '../support/stack.ts';

const limitMs = 5 * 60 * 1000;

interface Fence {
  readonly language: string;
  readonly text: string;
}

/** The page's code, in order. */
function fences(page: string): Fence[] {
  return [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map((m) => ({ language: m[1]!, text: m[2]! }));
}

/** Runs a script of the page as it stands there; stdout and stderr as a terminal would mix them. */
async function runScript(script: string, folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn('bash', ['-eu', '-c', `exec 2>&1\n${script}`], { cwd: folder, env });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code, `${script}\n${printed}`).toBe(0);
  return printed;
}

it('docs/getting-started.md leads from an unknown database to an applied contract in under five minutes', async () => {
  const { endpoints, dir } = await acquireStack();
  // Has databases and names of its own, and takes everything away at the end.
  const project = await LetheProject.create({ endpoints, dir }, { schema: 'select 1', contracts: {} });
  onTestFinished(() => project.drop());
  const folder = await mkdtemp(join(tmpdir(), 'lethe-getting-started-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'bin'));
  await mkdir(join(folder, 'work'));
  await writeFile(
    join(folder, 'bin', 'lethe'),
    `#!/bin/sh\nexec "${process.execPath}" "${join(packageRoot(), 'dist', 'cli', 'main.js')}" "$@"\n`,
  );
  await chmod(join(folder, 'bin', 'lethe'), 0o755);
  const env = {
    ...process.env,
    PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH']}`,
    LETHE_POSTGRES_URL: project.source.url,
    LETHE_KAFKA_BROKER: endpoints.kafka.brokers[0]!,
    LETHE_CONNECT_URL: endpoints.connect.url,
    LETHE_REGISTRY_URL: endpoints.registry.url,
    LETHE_ELASTICSEARCH_URL: endpoints.elasticsearch.url,
    LETHE_CLICKHOUSE_URL: endpoints.clickhouse.url,
    LETHE_KEYS_URL: project.keys.url,
  };
  // The page's pipeline is called shop; on a stack that others use it has a name of its own.
  const page = projectText('docs/getting-started.md').replaceAll(
    /(?<![a-z])shop(?![a-z]|\.example)/g,
    project.name,
  );

  const started = performance.now();
  let printed = '';
  let steps = 0;
  for (const { language, text } of fences(page)) {
    if (language === 'sql') await project.sql(text);
    if (language === 'sh') {
      printed = await runScript(text, join(folder, 'work'), env);
      steps++;
    }
    if (language === 'text') {
      const shown = text.split('\n').filter((line) => line !== '' && line !== '…');
      const lines = new Set(printed.split('\n').map((line) => line.replaceAll(/\s+/g, ' ').trim()));
      const missing = shown.filter((line) => !lines.has(line.replaceAll(/\s+/g, ' ').trim()));
      expect(missing, printed).toEqual([]);
    }
  }
  const tookMs = performance.now() - started;
  expect(steps).toBe(9);
  expect(printed).toBe('nothing to do\n');
  expect(tookMs).toBeLessThan(limitMs);
  process.stdout.write(`getting started took ${(tookMs / 1000).toFixed(1)} s\n`);
});
