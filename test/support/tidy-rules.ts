import { posix } from 'node:path';

/** A rule of the house: what is wrong with a file, one sentence each. Paths are from the root, with slashes. */
export type TidyRule = (path: string, text: string) => string[];

const maxLines = 400;
const isCode = (path: string): boolean => /\.(?:ts|mts|js|mjs)$/.test(path);

/** A longer file holds more than one noun. */
export const notTooLong: TidyRule = (path, text) => {
  const lines = text.split('\n').length - 1;
  return isCode(path) && lines > maxLines ? [`${path}: ${lines} lines, ${maxLines} are allowed`] : [];
};

export const kebabCase: TidyRule = (path) => {
  if (!isCode(path) && !path.endsWith('.sh')) return [];
  const ok = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*$/.test(posix.basename(path));
  return ok ? [] : [`${path}: not kebab-case`];
};

// The brackets keep this file itself within the rule.
const unfinishedWords = /\b(?:TO[D]O|FIX[M]E)\b/;

export const finished: TidyRule = (path, text) =>
  linesWith(text, unfinishedWords).map((line) => `${path}:${line}: unfinished by its own word`);

const unrun = /\b(?:it|test|describe|suite)(?:\.\w+)*\.(?:only|skip|todo|fails)\b|\bx(?:it|describe)\(/;

export const everyTestRuns: TidyRule = (path, text) =>
  isCode(path) && path.startsWith('test/')
    ? linesWith(text, unrun).map(
        (line) => `${path}:${line}: a test that does not run, or keeps others from it`,
      )
    : [];

const hosts = [
  String.raw`registry\.(?:npmjs\.org|yarnpkg\.com)`,
  String.raw`repo\d*\.maven\.(?:apache\.)?org`,
  String.raw`(?:npmmirror|goproxy|jfrog)\.\w+`,
  String.raw`https?:\/\/(?:10\.\d+|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d`,
  String.raw`"resolved": *"http`,
];
const registryHost = new RegExp(hosts.join('|'));
const machinePath = /(?:^|[\s'"`=(:])\/(?:work|root|home|Users)\/[\w.]/;

/** Where packages come from and where a checkout lies differs from machine to machine. */
export const noMachine: TidyRule = (path, text) => [
  ...linesWith(text, registryHost).map((line) => `${path}:${line}: names a host that packages come from`),
  ...linesWith(text, machinePath).map((line) => `${path}:${line}: names a folder of one machine`),
];

/** Relative links of a document, each to a file (and heading) that exists. `read` gives a tracked file's text. */
export function linksResolve(isPath: (path: string) => boolean, read: (path: string) => string): TidyRule {
  return (path, text) => {
    if (!path.endsWith('.md')) return [];
    const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '');
    const links = [...prose.matchAll(/\]\(([^)\s]+)\)|\b(?:src|href)="([^"]+)"/g)].map((m) => m[1] ?? m[2]!);
    return links.flatMap((link) => {
      if (/^[a-z]+:/.test(link)) return [];
      const [file = '', heading] = link.split('#');
      const target = file === '' ? path : posix.join(posix.dirname(path), file).replace(/\/$/, '');
      if (!isPath(target)) return [`${path}: the link ${link} leads nowhere`];
      if (heading === undefined || !target.endsWith('.md') || headings(read(target)).has(heading)) return [];
      return [`${path}: the link ${link} names a heading that is not there`];
    });
  };
}

/** Anchors of a document's headings, as they are made from their text. */
function headings(text: string): Set<string> {
  const titles = [...text.matchAll(/^#{1,6} (.+)$/gm)].map((m) => m[1]!);
  return new Set(
    titles.map((title) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-'),
    ),
  );
}

function linesWith(text: string, pattern: RegExp): number[] {
  return text.split('\n').flatMap((line, index) => (pattern.test(line) ? [index + 1] : []));
}
