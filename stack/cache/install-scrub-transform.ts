import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../package-root.ts';
import type { InstallContext } from './component.ts';
import { runClient } from './run-client.ts';

const CLASS_NAME = 'io.lethe.connect.ScrubDefaults';
const SOURCE = join(packageRoot(), 'connectors', 'java', `${CLASS_NAME.replaceAll('.', '/')}.java`);

/** Compiles the transformation that keeps column defaults and old rows out of the raw topics, as a Connect plugin. */
export async function installScrubTransform(kafkaLibraries: string, context: InstallContext): Promise<void> {
  const { work, target, signal } = context;
  const classes = join(work, 'scrub-transform');
  await mkdir(join(classes, 'META-INF', 'services'), { recursive: true });
  await writeFile(
    join(classes, 'META-INF', 'services', 'org.apache.kafka.connect.transforms.Transformation'),
    `${CLASS_NAME}\n`,
  );
  await runClient(
    context.javaBin('javac'),
    ['--release', '17', '-d', classes, '--class-path', join(kafkaLibraries, '*'), SOURCE],
    { cwd: work, signal },
  );
  const folder = join(target, 'lethe-scrub');
  await mkdir(folder);
  await runClient(
    context.javaBin('jar'),
    ['--create', '--file', join(folder, 'lethe-scrub.jar'), '-C', classes, '.'],
    { cwd: work, signal },
  );
}

/** Changes whenever the source does, so that a cache never holds a plugin that is out of date. */
export function scrubTransformKey(): string {
  return createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 8);
}
