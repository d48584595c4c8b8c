import { readFile } from 'node:fs/promises';
import type { Finding } from '../finding.ts';
import { withNullWords } from '../null-word.ts';
import { parseShape } from '../shape-findings.ts';
import { type FieldPath, parseSource, type SourceDocument } from '../source-document.ts';
import type { Classification } from '../vocabulary.ts';
import { type DefaultAction, type HouseRule, houseRulesShape } from './rules-shape.ts';

/** What every contract must keep, and the places where it is written. */
export interface HouseRules {
  readonly document: SourceDocument;
  readonly defaults: Readonly<Partial<Record<Classification, DefaultAction | undefined>>>;
  readonly rules: readonly HouseRule[];
}

export interface LoadedHouseRules {
  /** Undefined if there are findings. */
  readonly house?: HouseRules;
  readonly findings: readonly Finding[];
}

/** Reads the house rules; `file` is what findings call it. */
export async function loadHouseRules(file: string): Promise<LoadedHouseRules> {
  try {
    return parseHouseRules(file, await readFile(file, 'utf8'));
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    if (reason === undefined) throw error;
    return unreadableRules(file, reason);
  }
}

/** House rules that lethe.yaml names and that cannot be read. */
export function unreadableRules(file: string, reason: string): LoadedHouseRules {
  const message = `the file cannot be read (${reason})`;
  const fix = 'Create it, correct `rules` in lethe.yaml, or give this user the right to read it.';
  return {
    findings: [{ severity: 'error', code: 'FILE_UNREADABLE', file, line: 1, field: '', message, fix }],
  };
}

/** House rules from their text, wherever it comes from. */
export function parseHouseRules(file: string, text: string): LoadedHouseRules {
  const { document, findings } = parseSource(file, text);
  if (!document) return { findings };
  const parsed = parseShape(houseRulesShape, document, withNullWords(document, isAction));
  if (!parsed.value) return { findings: parsed.findings };
  return { house: { document, ...parsed.value }, findings: [] };
}

function isAction(path: FieldPath): boolean {
  return path[0] === 'rules' ? path[2] === 'never' || path[2] === 'only' : path.at(-1) === 'action';
}
