import { z } from 'zod';
import { didYouMean } from './did-you-mean.ts';
import type { Finding, FindingCode } from './finding.ts';
import { describeShape, keysAt, type JsonShape } from './shape-keys.ts';
import { type FieldPath, fieldOf, plainName, type SourceDocument } from './source-document.ts';

/**
 * Parses a document's value by a shape and turns every issue into a finding with its place. The value is handed in
 * apart from the document, since secrets were filled in. No message quotes a value.
 */
export function parseShape<S extends z.ZodType>(
  shape: S,
  document: SourceDocument,
  value: unknown,
): { value: z.infer<S>; findings: [] } | { value?: undefined; findings: Finding[] } {
  const result = shape.safeParse(value);
  if (result.success) return { value: result.data, findings: [] };
  const described = describeShape(shape);
  return {
    findings: result.error.issues.flatMap((issue) =>
      explain(issue, issue.path as FieldPath, { document, value, described }),
    ),
  };
}

interface Context {
  readonly document: SourceDocument;
  readonly value: unknown;
  readonly described: JsonShape;
}

function explain(issue: z.core.$ZodIssue, path: FieldPath, context: Context): Finding[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(key, path, context));
  }
  if (valueAt(context.value, path) === undefined && issue.code !== 'invalid_key') {
    return [missingKey(path, issue, context)];
  }
  if (issue.code === 'invalid_union') {
    if (issue.errors.length === 0) {
      return [unknownValue(path, (issue as { options?: unknown[] }).options ?? [], context)];
    }
    return explainUnion(issue.errors, path, context);
  }
  if (issue.code === 'invalid_value') return [unknownValue(path, issue.values, context)];
  if (issue.code === 'invalid_type') {
    const message = `must be ${withArticle(issue.expected)}`;
    const fix =
      issue.expected === 'string' ? 'Put the value in quotes.' : `Write ${withArticle(issue.expected)}.`;
    return [finding('WRONG_TYPE', path, message, fix, context)];
  }
  return [wrongValue(issue, path, context)];
}

/** The branch that came farthest is what was meant; where none got into the value, all that would do. */
function explainUnion(branches: z.core.$ZodIssue[][], path: FieldPath, context: Context): Finding[] {
  const named = branches.find((issues) => issues.every((issue) => issue.path.length > 0));
  const entered =
    named ??
    branches.find((issues) =>
      issues.every((issue) => issue.path.length > 0 || issue.code === 'unrecognized_keys'),
    );
  if (entered) {
    return entered.flatMap((issue) => explain(issue, [...path, ...(issue.path as FieldPath)], context));
  }
  const literals = branches.flat().flatMap((issue) => (issue.code === 'invalid_value' ? issue.values : []));
  if (literals.length > 0) return [unknownValue(path, literals, context)];
  const types = branches.flat().flatMap((i) => (i.code === 'invalid_type' ? [withArticle(i.expected)] : []));
  return [
    finding('WRONG_TYPE', path, `must be ${types.join(' or ')}`, `Write ${types.join(' or ')}.`, context),
  ];
}

function unknownKey(key: string, path: FieldPath, context: Context): Finding {
  const known = keysAt(context.described, path, context.value);
  const hint = didYouMean(key, known);
  return finding(
    'UNKNOWN_KEY',
    [...path, key],
    `${plainName(key)} is not a key here.${hint}`,
    known.length > 0 ? `Use one of: ${known.join(', ')}.` : 'Remove it.',
    context,
    'key',
  );
}

function missingKey(path: FieldPath, issue: z.core.$ZodIssue, context: Context): Finding {
  const key = plainName(String(path.at(-1) ?? ''));
  const options =
    issue.code === 'invalid_union'
      ? (issue as { options?: unknown[] }).options
      : (issue as { values?: unknown[] }).values;
  const fix = options?.length ? `Add ${key}: one of ${options.join(', ')}.` : `Add ${key}.`;
  return finding('MISSING_KEY', path, `${key} is missing`, fix, context, 'key');
}

function unknownValue(path: FieldPath, options: readonly unknown[], context: Context): Finding {
  const given = valueAt(context.value, path);
  const names = options.map(String);
  const hint = typeof given === 'string' ? didYouMean(given, names) : '';
  return finding(
    'UNKNOWN_VALUE',
    path,
    `not one of the values that ${plainName(String(path.at(-1) ?? ''))} takes.${hint}`,
    `Use one of: ${names.join(', ')}.`,
    context,
  );
}

function wrongValue(issue: z.core.$ZodIssue, path: FieldPath, context: Context): Finding {
  if (issue.code === 'invalid_format' && issue.format === 'url') {
    return finding('WRONG_VALUE', path, 'not a URL of this kind', 'Write http://host:port.', context);
  }
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    const limit = issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
    const unit = issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' entries' : '';
    return finding('WRONG_VALUE', path, `must be ${limit}${unit}`, `Write ${limit}${unit}.`, context);
  }
  if (issue.code === 'invalid_key') {
    return finding(
      'WRONG_VALUE',
      path,
      'this name is too long or empty',
      'Write 1 to 63 characters.',
      context,
      'key',
    );
  }
  return finding(
    'WRONG_VALUE',
    path,
    'not in the form that is needed',
    `${sentence(issue.message)}.`,
    context,
  );
}

function finding(
  code: FindingCode,
  path: FieldPath,
  message: string,
  fix: string,
  context: Context,
  what: 'key' | 'value' = 'value',
): Finding {
  const position = what === 'key' ? context.document.keyAt(path) : context.document.valueAt(path);
  return {
    severity: 'error',
    code,
    file: context.document.file,
    ...position,
    field: fieldOf(path),
    message,
    fix,
  };
}

function valueAt(value: unknown, path: FieldPath): unknown {
  let node = value;
  for (const part of path) {
    if (node === null || typeof node !== 'object' || !Object.hasOwn(node, part)) return undefined;
    node = (node as Record<string | number, unknown>)[part];
  }
  return node;
}

const articles: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map (key: value)',
  record: 'a map (key: value)',
  array: 'a list',
};

function withArticle(type: string): string {
  return articles[type] ?? type;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
