import type { PathRule } from '../schemas/column-rule.ts';
import { didYouMean } from '../schemas/did-you-mean.ts';
import { parsePath, type PathStep } from '../schemas/json-path.ts';
import type { ShapeField, ValueShape } from './postgres/value-shape.ts';

type Problem = readonly [message: string, fix: string];
type Paths = Readonly<Record<string, PathRule>>;

/** Actions that make sense of an object or an array as a whole. */
const wholes: ReadonlySet<PathRule['action']> = new Set(['encrypt', 'drop', 'null']);

/** Why a path cannot be one of a column whose values have this shape; undefined if all can. */
export function checkNested(name: string, shape: ValueShape, paths: Paths): Problem | undefined {
  for (const [path, rule] of Object.entries(paths)) {
    const end = follow(shape, parsePath(path) ?? []);
    if ('problem' in end) return [`${name} has no path ${path}: ${end.problem}`, end.fix];
    const { at } = end;
    if ((at.fields || at.elements) && !wholes.has(rule.action)) {
      return [
        `${rule.action} cannot treat ${path} of ${name}, which is ${at.typeText}`,
        at.fields ? `Name its fields: ${namesOf(at.fields)}.` : `Write ${path}[] for its elements.`,
      ];
    }
  }
  return undefined;
}

type End = { readonly at: ValueShape } | { readonly problem: string; readonly fix: string };

function follow(from: ValueShape, steps: readonly PathStep[]): End {
  let at = from;
  for (const [i, step] of steps.entries()) {
    // Below an object of unknown keys everything may be.
    if (at.isOpen) break;
    // An array may have more dimensions than its type says.
    if (step.kind === 'items' && steps[i - 1]?.kind === 'items' && !at.elements) continue;
    const next = step.kind === 'items' ? elementsOf(at) : fieldOf(at, step);
    if ('problem' in next) return next;
    at = next.at;
  }
  return { at };
}

function elementsOf(at: ValueShape): End {
  if (at.elements) return { at: at.elements };
  return { problem: `${at.typeText} is no array`, fix: 'Take [] out.' };
}

function fieldOf(at: ValueShape, step: Exclude<PathStep, { kind: 'items' }>): End {
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

function namesOf(fields: readonly ShapeField[]): string {
  return fields.map(({ name }) => name).join(', ');
}

/** Fields that no path leads to, so that they do not pass: `address.zip`. */
export function unnamedFields(name: string, shape: ValueShape, paths: Paths): string[] {
  const parsed = Object.keys(paths).map((path) => parsePath(path) ?? []);
  return unnamedIn(shape, parsed, name);
}

function unnamedIn(at: ValueShape, paths: readonly (readonly PathStep[])[], place: string): string[] {
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
