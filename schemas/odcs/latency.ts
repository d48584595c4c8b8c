/** Units of the standard's examples, and of those who write them out, for those of a contract. `m` may be a month. */
const units: Readonly<Record<string, string>> = {
  ms: 'ms',
  s: 's',
  sec: 's',
  second: 's',
  seconds: 's',
  min: 'm',
  minute: 'm',
  minutes: 'm',
  h: 'h',
  hour: 'h',
  hours: 'h',
  d: 'd',
  day: 'd',
  days: 'd',
};
const names: ReadonlySet<string> = new Set(['latency', 'ly', 'freshness']);

export interface SlaProperty {
  readonly property: string;
  readonly value?: unknown;
  readonly unit?: string | null | undefined;
}

/** `30s` as latency, the standard's word for staleness. A number that is not written shortest stays a text. */
export function latencyOf(staleness: string): SlaProperty {
  const [, digits, unit] = /^(\d+)(\D+)$/.exec(staleness) as unknown as [string, string, string];
  const value = String(Number(digits)) === digits ? Number(digits) : digits;
  return { property: 'latency', value, unit: unit === 'm' ? 'min' : unit };
}

/** The staleness that a latency or freshness stands for; undefined if there is none, or none in whole units. */
export function stalenessOf(properties: readonly SlaProperty[] | null | undefined): string | undefined {
  const found = (properties ?? []).find(({ property }) => names.has(property.toLowerCase()));
  const unit = units[found?.unit?.toLowerCase() ?? ''];
  const value =
    typeof found?.value === 'number' || typeof found?.value === 'string' ? String(found.value) : '';
  return unit !== undefined && /^\d{1,9}$/.test(value) ? `${value}${unit}` : undefined;
}
