/** A step of a path into a JSON value, an array or an hstore. */
export type PathStep =
  | { readonly kind: 'key'; readonly name: string }
  /** `*`: any key that no step by name takes. */
  | { readonly kind: 'any' }
  /** `[]`: every element of an array. */
  | { readonly kind: 'items' }
  /** `**`: whatever lies below, of any depth. Only at the end. */
  | { readonly kind: 'rest' };

const bareKey = /[^.[\]"*\s]+/y;
const quotedKey = /"(?:[^"\\]|\\.)*"/y;

/**
 * Parses a path: keys parted by dots, `[]` for the elements of an array, `*` for any key, `**` at the end for all that lies below;
 * a key with another character in JSON's quotes. `address.city`, `orders[].total`, `[]`, `tags.*`, `"odd key".x`.
 * Undefined for what is no path.
 */
export function parsePath(text: string): readonly PathStep[] | undefined {
  const steps: PathStep[] = [];
  let at = 0;
  while (at < text.length) {
    if (text.startsWith('[]', at)) {
      steps.push({ kind: 'items' });
      at += 2;
      continue;
    }
    if (steps.length > 0 && text[at++] !== '.') return undefined;
    if (text.startsWith('**', at)) {
      steps.push({ kind: 'rest' });
      return at + 2 === text.length ? steps : undefined;
    }
    if (text[at] === '*') {
      steps.push({ kind: 'any' });
      at++;
      continue;
    }
    const name = keyAt(text, at);
    if (!name) return undefined;
    steps.push({ kind: 'key', name: name.value });
    at += name.length;
  }
  return steps.length > 0 ? steps : undefined;
}

function keyAt(text: string, at: number): { readonly value: string; readonly length: number } | undefined {
  for (const pattern of [quotedKey, bareKey]) {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found === undefined) continue;
    if (pattern === bareKey) return { value: found, length: found.length };
    try {
      return { value: JSON.parse(found) as string, length: found.length };
    } catch {
      return undefined;
    }
  }
  return undefined;
}

/** Two paths of which one makes the other mean nothing, or would let pass what the other protects. */
export interface PathConflict {
  readonly path: string;
  readonly other: string;
}

/**
 * Paths that say the same place twice, and paths at or below one that takes all there is below: `**`, or one of `wholes`, whose
 * action takes objects and arrays as a whole.
 */
export function pathConflicts(paths: readonly string[], wholes: ReadonlySet<string>): PathConflict[] {
  const placed = paths.map((path) => {
    const steps = (parsePath(path) ?? []).map((step) =>
      step.kind === 'key' ? `.${JSON.stringify(step.name)}` : step.kind,
    );
    const takesAll = steps.at(-1) === 'rest';
    return {
      path,
      steps: takesAll ? steps.slice(0, -1) : steps,
      takesAll,
      whole: takesAll || wholes.has(path),
    };
  });
  return placed.flatMap((taker) =>
    placed
      .filter((other) => {
        if (other === taker || !taker.steps.every((step, i) => step === other.steps[i])) return false;
        if (other.steps.length > taker.steps.length) return taker.whole;
        // One place: told once, at the later of the two.
        return placed.indexOf(other) > placed.indexOf(taker);
      })
      .map((other) => ({ path: other.path, other: taker.path })),
  );
}
