import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import type { Finding, FindingCode } from './finding.ts';

export type FieldPath = readonly (string | number)[];

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A YAML file as a value, with the place of each of its fields. */
export interface SourceDocument {
  readonly file: string;
  readonly value: unknown;
  /** Where the field's value stands, or of its nearest ancestor if it does not exist. */
  valueAt(path: FieldPath): Position;
  /** Where the field's key stands, or of its nearest ancestor's if it does not exist. */
  keyAt(path: FieldPath): Position;
  /** A scalar as it is written in the file; undefined if there is none. */
  textAt(path: FieldPath): string | undefined;
}

/** Reads one YAML document. Findings never quote the text: what stands at a broken place may be a secret. */
export function parseSource(
  file: string,
  text: string,
): { document: SourceDocument; findings: [] } | { document?: undefined; findings: Finding[] } {
  const lines = new LineCounter();
  const parsed = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const finding = (
    code: FindingCode,
    position: Position,
    field: string,
    message: string,
    fix: string,
  ): Finding => ({ severity: 'error', code, file, ...position, field, message, fix });

  const broken = [...parsed.errors, ...parsed.warnings];
  if (broken.length > 0) {
    return {
      findings: broken.map((error) => {
        const [message, fix] = syntax[error.code] ?? [
          'not valid YAML here',
          'Correct the YAML at this place.',
        ];
        return finding('YAML_SYNTAX', at(error.pos[0]), '', message, fix);
      }),
    };
  }
  const root = parsed.contents;
  if (root === null || (isScalar(root) && root.value === null)) {
    return {
      findings: [
        finding('FILE_EMPTY', { line: 1, column: 1 }, '', 'the file is empty', 'Fill it in or remove it.'),
      ],
    };
  }
  const findings: Finding[] = [];
  walkKeys(root, [], (path, key) => {
    const position = at(key.range?.[0] ?? 0);
    findings.push(
      finding(
        'DUPLICATE_KEY',
        position,
        fieldOf(path),
        'the key stands twice in this map',
        'Leave only one.',
      ),
    );
  });
  visit(parsed, {
    Alias: (_key, alias) => {
      if (alias.resolve(parsed)) return;
      findings.push(finding('YAML_SYNTAX', at(alias.range?.[0] ?? 0), '', ...syntax['BAD_ALIAS']!));
    },
  });
  if (findings.length > 0) return { findings };
  const locate = (path: FieldPath, what: 'key' | 'value'): Position => at(offsetOf(root, path, what) ?? 0);
  const textAt = (path: FieldPath): string | undefined => {
    const node = parsed.getIn(path, true);
    return isScalar(node) ? node.source : undefined;
  };
  return {
    document: {
      file,
      value: parsed.toJS({ maxAliasCount: 100 }),
      valueAt: (path) => locate(path, 'value'),
      keyAt: (path) => locate(path, 'key'),
      textAt,
    },
    findings: [],
  };
}

/** Own words for the parser's codes: its messages may quote the text. */
const syntax: Readonly<Record<string, readonly [message: string, fix: string]>> = {
  BAD_ALIAS: ['an alias (*name) without its anchor (&name)', 'Define the anchor or quote the text.'],
  BAD_DQ_ESCAPE: ['an unknown escape in a double-quoted text', 'Use single quotes or \\\\.'],
  BAD_INDENT: ['wrong indentation', 'Indent the keys of one map alike.'],
  BAD_SCALAR_START: ['a text cannot start with this character', 'Put the text in quotes.'],
  BLOCK_AS_IMPLICIT_KEY: ['a map starts inside of a value', 'Put the value in quotes or on its own line.'],
  MISSING_CHAR: ['a closing quote, bracket or colon is missing', 'Close it, or put a space after the colon.'],
  MULTIPLE_DOCS: ['a second document starts here', 'Write one document a file.'],
  MULTILINE_IMPLICIT_KEY: ['a line is neither a key nor a value', 'Write key: value.'],
  TAB_AS_INDENT: ['a tab as indentation', 'Indent with spaces.'],
  TAG_RESOLVE_FAILED: ['a tag (!name) that is not understood', 'Leave the tag out.'],
  UNEXPECTED_TOKEN: ['something unexpected stands here', 'Put the text in quotes.'],
};

/** A path as text; a part that is not a plain name may be a secret that slipped into the key's place. */
export function fieldOf(path: FieldPath): string {
  return path.map((part) => plainName(String(part))).join('.');
}

/** A key, if it looks like one. */
export function plainName(key: string): string {
  return /^[\w.-]{1,63}$/.test(key) ? key : '(not a name)';
}

function walkKeys(node: Node, path: FieldPath, duplicate: (path: FieldPath, key: Node) => void): void {
  if (isMap(node)) {
    const seen = new Set<string>();
    for (const pair of (node as YAMLMap<Node, Node | null>).items) {
      const name = keyName(pair.key);
      if (seen.has(name)) duplicate([...path, name], pair.key);
      seen.add(name);
      if (pair.value) walkKeys(pair.value, [...path, name], duplicate);
    }
  } else if (isSeq(node)) {
    node.items.forEach((item, index) => {
      walkKeys(item as Node, [...path, index], duplicate);
    });
  }
}

function keyName(key: Node): string {
  return isScalar(key) ? String(key.value) : isAlias(key) ? `*${key.source}` : '?';
}

function offsetOf(root: Node, path: FieldPath, what: 'key' | 'value'): number | undefined {
  let node: Node = root;
  let offset = root.range?.[0];
  for (const part of path) {
    if (isMap(node)) {
      const pair = (node as YAMLMap<Node, Node | null>).items.find(
        (item) => keyName(item.key) === String(part),
      );
      if (!pair) return offset;
      offset = pair.key.range?.[0];
      if (!pair.value) return offset;
      node = pair.value;
      if (what === 'value' && node.range) offset = node.range[0];
    } else if (isSeq(node) && typeof part === 'number' && node.items[part]) {
      node = node.items[part] as Node;
      offset = node.range?.[0];
    } else {
      return offset;
    }
  }
  return offset;
}
