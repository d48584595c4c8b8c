import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { FieldPath } from './source-document.ts';

export interface SecretFailure {
  readonly path: FieldPath;
  readonly message: string;
  readonly fix: string;
}

export interface FillOptions {
  /** Folder that `${file:PATH}` is relative to. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Paths (joined by dots) whose text is somebody else's to fill in, such as a Connect config provider's. */
  readonly literal?: ReadonlySet<string>;
}

/**
 * Fills `${env:NAME}` and `${file:PATH}` into every string of the value; a file loses its last newline. What is
 * filled in is not looked at again. Failures name the variable or the file, never a value.
 */
export async function fillSecrets(
  value: unknown,
  options: FillOptions,
): Promise<{ value: unknown; failures: SecretFailure[] }> {
  const failures: SecretFailure[] = [];
  const visit = async (node: unknown, path: FieldPath): Promise<unknown> => {
    if (typeof node === 'string') {
      if (options.literal?.has(path.join('.'))) return node;
      return fillText(node, options, (message, fix) => failures.push({ path, message, fix }));
    }
    if (Array.isArray(node)) return Promise.all(node.map((item, i) => visit(item, [...path, i])));
    if (node !== null && typeof node === 'object') {
      const entries = Object.entries(node).map(async ([k, v]) => [k, await visit(v, [...path, k])] as const);
      return Object.fromEntries(await Promise.all(entries));
    }
    return node;
  };
  return { value: await visit(value, []), failures };
}

const reference = /\$\{([^}]*)\}/g;

async function fillText(
  text: string,
  options: FillOptions,
  fail: (message: string, fix: string) => void,
): Promise<string> {
  let out = '';
  let end = 0;
  for (const match of text.matchAll(reference)) {
    out += text.slice(end, match.index) + (await lookUp(match[1]!, options, fail));
    end = match.index + match[0].length;
  }
  return out + text.slice(end);
}

async function lookUp(
  inner: string,
  options: FillOptions,
  fail: (message: string, fix: string) => void,
): Promise<string> {
  const env = /^env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(inner)?.[1];
  if (env !== undefined) {
    const value = options.env[env];
    if (!value) fail(`the environment variable ${env} is not set`, `Set ${env}.`);
    return value ?? '';
  }
  const file = /^file:(.+)$/s.exec(inner)?.[1];
  if (file !== undefined) {
    try {
      const content = (await readFile(resolve(options.folder, file), 'utf8')).replace(/\r?\n$/, '');
      if (content === '') fail(`the file ${file} is empty`, 'Write the secret into it.');
      return content;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
      fail(`the file ${file} cannot be read (${code})`, 'Create it, or give this user the right to read it.');
      return '';
    }
  }
  fail('${…} is neither ${env:NAME} nor ${file:PATH}', 'Write one of these, or put the text into a file.');
  return '';
}
