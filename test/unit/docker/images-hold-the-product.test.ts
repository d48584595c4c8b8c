import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { converterConfig } from '../../../connectors/avro-converter-config.ts';
import { importsOf } from '../../support/room-imports.ts';
import { projectRoot, projectText, trackedFiles } from '../../support/project-tree.ts';
import { readCompose, readVersions, variablesOf } from './compose-file.ts';

const allowed = projectText('.dockerignore')
  .split('\n')
  .filter((line) => line.startsWith('!'))
  .map((line) => line.slice(1));
const inContext = (path: string): boolean =>
  allowed.some((entry) => path === entry || path.startsWith(`${entry}/`));

interface Instruction {
  readonly name: string;
  readonly text: string;
}

function instructions(path: string): Instruction[] {
  const lines = projectText(path)
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n');
  return lines.filter((line) => line !== '').map((line) => ({ name: line.split(' ', 1)[0]!, text: line }));
}

describe.each(Object.entries({ Dockerfile: 'docker/Dockerfile', connect: 'docker/connect/Dockerfile' }))(
  'image of %s',
  (_name, path) => {
    const steps = instructions(path);

    it('is built on pinned images, which compose.yaml passes in', () => {
      const args = steps.filter((s) => s.name === 'ARG').map((s) => s.text.slice(4));
      const from = steps.filter((s) => s.name === 'FROM').flatMap((s) => [...variablesOf(s.text)]);
      expect(new Set(from)).toEqual(new Set(args));
      expect([...readVersions().keys()]).toEqual(expect.arrayContaining(args));
      const built = Object.values(readCompose().services).filter((s) => s.build?.dockerfile === path);
      expect(built.length).toBeGreaterThan(0);
      for (const { build } of built) expect(Object.keys(build!.args).sort()).toEqual(args.toSorted());
    });

    it('copies what the context holds', () => {
      const copies = steps.filter((s) => s.name === 'COPY' && !s.text.includes('--from='));
      const sources = copies
        .flatMap((s) => s.text.split(/\s+/).slice(1, -1))
        .filter((source) => source !== '.');
      expect(sources.length).toBeGreaterThan(0);
      for (const source of sources) {
        expect(existsSync(join(projectRoot, source)) && inContext(source), source).toBe(true);
      }
    });
  },
);

it('Connect holds the plugins that the derived connector asks for', () => {
  const script = projectText('docker/connect/make-plugins.sh');
  const registry = { url: 'http://registry:8080/apis/ccompat/v7' };
  const converter = converterConfig({ connect: { url: 'http://connect:8083' }, registry })[
    'value.converter'
  ]!;
  expect(script).toContain(`echo ${converter}`);
  const own = trackedFiles().filter((path) => path.startsWith('connectors/java/'));
  expect(own).toHaveLength(3);
  const config = projectText('connectors/debezium-config.ts');
  for (const path of own) {
    const name = path.slice('connectors/java/'.length, -'.java'.length).replaceAll('/', '.');
    // A service is found by a file that names it, the storage of tables by the connector's own setting.
    if (config.includes(`'memory.management.tables.class': '${name}'`)) continue;
    expect(script).toContain(`echo ${name} >`);
  }
});

describe('image of the product', () => {
  const steps = instructions('docker/Dockerfile');

  it('has all that the command imports in its context, and no test', () => {
    const seen = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      if (!path.endsWith('.ts')) return;
      for (const { specifier } of importsOf(projectText(path))) {
        if (specifier.startsWith('.')) visit(posix.join(posix.dirname(path), specifier));
      }
    };
    visit('cli/main.ts');
    expect(seen.size).toBeGreaterThan(50);
    expect([...seen].filter((path) => !inContext(path))).toEqual([]);
    expect(
      trackedFiles().filter((path) => inContext(path) && /(?:^|\/)(?:test|secrets)\//.test(path)),
    ).toEqual([]);
  });

  it('starts the command of the package as an ordinary user, where lethe.yaml is mounted', () => {
    const last = (name: string): string => steps.findLast((s) => s.name === name)!.text;
    const { bin } = JSON.parse(projectText('package.json')) as { bin: { lethe: string } };
    expect(last('ENTRYPOINT')).toBe(`ENTRYPOINT ["node", "/app/${bin.lethe}"]`);
    expect(last('USER')).toBe('USER node');
    const folder = last('WORKDIR').slice('WORKDIR '.length);
    for (const [name, { image, mounts }] of Object.entries(readCompose().services)) {
      if (image !== 'lethe') continue;
      expect(
        mounts.map((mount) => mount.target),
        name,
      ).toContain(posix.join(folder, 'lethe.yaml'));
    }
  });
});
