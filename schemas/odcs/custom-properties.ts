export interface CustomProperty {
  readonly property: string;
  readonly value: unknown;
}

const own = 'lethe.';

/** What ODCS has no field for, one property each: `lethe.action`, `lethe.keepEnd`, whatever options there are. */
export function toCustom(fields: Readonly<Record<string, unknown>>): CustomProperty[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ property: `${own}${name}`, value }));
}

/** Lethe's own among the custom properties, by their names without `lethe.`; other tools' are left out. */
export function fromCustom(
  properties: readonly { readonly property: string; readonly value?: unknown }[] | null | undefined,
): Record<string, unknown> {
  const ours = (properties ?? []).filter(({ property }) => property.startsWith(own));
  return Object.fromEntries(ours.map(({ property, value }) => [property.slice(own.length), value]));
}
