import { describe, expect, it } from 'vitest';
import { projectText, trackedFiles } from '../support/project-tree.ts';
import {
  everyTestRuns,
  finished,
  kebabCase,
  linksResolve,
  noMachine,
  notTooLong,
  type TidyRule,
} from '../support/tidy-rules.ts';

const files = trackedFiles();
const paths = new Set(files.flatMap((path) => [path, ...parents(path)]));
const links = linksResolve((path) => paths.has(path), projectText);

const rules: readonly [promise: string, rule: TidyRule, bad: readonly [path: string, text: string][]][] = [
  ['keep to one noun', notTooLong, [['cli/run.ts', 'a;\n'.repeat(401)]]],
  [
    'have names in kebab-case',
    kebabCase,
    [
      ['cli/runCommand.ts', ''],
      ['test/unit/Rooms.test.ts', ''],
    ],
  ],
  ['are finished', finished, [['docs/a.md', ['first line\nTO', 'DO: second'].join('')]]],
  [
    'let every test run',
    everyTestRuns,
    [
      ['test/unit/a.test.ts', parted('it', "only('x', () => {});")],
      ['test/unit/a.test.ts', parted('describe.sequential', "skip('x', () => {});")],
    ],
  ],
  [
    'know no machine',
    noMachine,
    [
      ['package-lock.json', ['"resolved"', ' "https://packages.example/a.tgz"'].join(':')],
      ['stack/a.ts', parted("const url = 'https://repo1", "maven.org/maven2';")],
      ['cli/a.ts', ['const folder = "/ho', 'me/somebody/lethe";'].join('')],
      ['docs/a.md', parted('see http://10', '0.0.7:4873')],
    ],
  ],
  [
    'link to what exists',
    links,
    [
      ['docs/a.md', 'see [there](nowhere.md)'],
      ['docs/a.md', '<img src="images/missing.svg">'],
      ['README.md', '# Title\n\n[down](#no-such-heading)'],
    ],
  ],
];

/** Parted by a dot, and here too: this file keeps the rules that it tests. */
function parted(...parts: string[]): string {
  return parts.join('.');
}

describe('files', () => {
  it.each(rules)('%s', (_promise, rule) => {
    expect(files.length).toBeGreaterThan(100);
    expect(files.flatMap((path) => rule(path, projectText(path)))).toEqual([]);
  });

  const violations = rules.flatMap(([promise, rule, bad]) => bad.map((file) => ({ promise, rule, file })));
  it.each(violations)('that break a rule are found: $promise, $file', ({ rule, file }) => {
    expect(rule(...file)).toHaveLength(1);
  });

  it('may say skip where no test is meant', () => {
    expect(everyTestRuns('test/support/a.ts', 'reader.skip(4);')).toEqual([]);
  });

  it('may link within themselves, to headings of others and out', () => {
    const found = linksResolve(
      (path) => ['docs/a.md', 'README.md'].includes(path),
      () => '# Lethe\n\n## What is `new`?\n',
    );
    const text = '[a](#what-is-new), [b](../README.md#lethe), [c](https://lethe.example/)';
    expect(found('docs/a.md', text)).toEqual([]);
  });
});

/** Folders above a path. */
function parents(path: string): string[] {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? [] : [path.slice(0, slash), ...parents(path.slice(0, slash))];
}
