import type { ZodError } from 'zod';

/** Where a shape does not hold, ` at places.3.after`: names of fields and places in lists; what a file has for a name is not repeated. */
export function placeOf(error: ZodError): string {
  const path = error.issues[0]?.path.map(String) ?? [];
  const named = path.findIndex((part) => !/^\w{1,40}$/.test(part));
  const known = named < 0 ? path : path.slice(0, named);
  return known.length === 0 ? '' : ` at ${known.join('.')}`;
}
