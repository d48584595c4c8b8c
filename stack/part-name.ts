/** The servers of the stack, in the order in which they are listed to people. */
export const PART_NAMES = [
  'postgres',
  'kafka',
  'connect',
  'registry',
  'elasticsearch',
  'clickhouse',
] as const;

/** Name of one server of the stack. */
export type PartName = (typeof PART_NAMES)[number];

/** Whether a text names a part. */
export function isPartName(text: string): text is PartName {
  return (PART_NAMES as readonly string[]).includes(text);
}
