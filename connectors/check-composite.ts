import type { PathRule } from '../schemas/column-rule.ts';
import { didYouMean } from '../schemas/did-you-mean.ts';
import { parsePath, type PathStep } from '../schemas/json-path.ts';
import type { CompositeField, FieldType } from './postgres/composite-fields.ts';

type Problem = readonly [message: string, fix: string];
type Paths = Readonly<Record<string, PathRule>>;

/** Actions that make sense of an object or an array as a whole. */
const wholes: ReadonlySet<PathRule['action']> = new Set(['encrypt', 'drop', 'null']);

/** Why a path cannot be one of a composite column with these fields; undefined if all can. */
export function checkComposite(column: CompositeField, paths: Paths): Problem | undefined {
  for (const [path, rule] of Object.entries(paths)) {
    const end = follow(column, parsePath(path) ?? []);
    if ('problem' in end) return [`${column.name} has no path ${path}: ${end.problem}`, end.fix];
    const { at } = end;
    if ((at.fields || at.elements) && !wholes.has(rule.action)) {
      return [
        `${rule.action} cannot treat ${path} of ${column.name}, which is ${at.typeText}`,
        at.fields ? `Name its fields: ${namesOf(at.fields)}.` : `Write ${path}[] for its elements.`,
      ];
    }
  }
  return undefined;
}

type End = { readonly at: FieldType } | { readonly problem: string; readonly fix: string };

function follow(from: FieldType, steps: readonly PathStep[]): End {
  let at = from;
  for (const step of steps) {
    // Below an object of unknown keys everything may be.
    if (at.isOpen) break;
    const next = step.kind === 'items' ? elementsOf(at) : fieldOf(at, step);
    if ('problem' in next) return next;
    at = next.at;
  }
  return { at };
}

function elementsOf(at: FieldType): End {
  if (at.elements) return { at: at.elements };
  return { problem: `${at.typeText} is no array`, fix: 'Take [] out.' };
}

function fieldOf(at: FieldType, step: Exclude<PathStep, { kind: 'items' }>): End {
  if (!at.fields) {
    return {
      problem: `${at.typeText} has no fields`,
      fix: at.elements ? 'Write [] for its elements.' : 'Let the path end there.',
    };
  }
  const names = at.fields.map(({ name }) => name);
  if (step.kind !== 'key') {
    const problem = 'it would let pass whatever is added to the type later';
    return { problem, fix: `Name the fields: ${names.join(', ')}.` };
  }
  const field = at.fields.find(({ name }) => name === step.name);
  if (field) return { at: field };
  const problem = `${at.typeText} has no field ${step.name}.${didYouMean(step.name, names)}`;
  return { problem, fix: `Name one of ${names.join(', ')}.` };
}

function namesOf(fields: readonly CompositeField[]): string {
  return fields.map(({ name }) => name).join(', ');
}

/** Fields that no path leads to, so that they do not pass: `address.zip`. */
export function unnamedFields(column: CompositeField, paths: Paths): string[] {
  const parsed = Object.keys(paths).map((path) => parsePath(path) ?? []);
  return unnamedIn(column, parsed, column.name);
}

function unnamedIn(at: FieldType, paths: readonly (readonly PathStep[])[], place: string): string[] {
  if (paths.some((steps) => steps.length === 0)) return [];
  if (paths.length === 0) return [place];
  if (at.elements) {
    return unnamedIn(
      at.elements,
      taking(paths, (step) => step.kind === 'items'),
      `${place}[]`,
    );
  }
  return (at.fields ?? []).flatMap((field) =>
    unnamedIn(
      field,
      taking(paths, (step) => step.kind === 'key' && step.name === field.name),
      `${place}.${field.name}`,
    ),
  );
}

function taking(paths: readonly (readonly PathStep[])[], isTaken: (step: PathStep) => boolean): PathStep[][] {
  return paths.filter(([first]) => first && isTaken(first)).map(([, ...rest]) => rest);
}
