/** A value as Postgres prints it, a Buffer for bytea, an array of texts for text[]. */
export type PrintedValue = string | Buffer | readonly (string | null)[] | null;

type Parse = (text: string) => PrintedValue | undefined;

const usualDate = /^\d{4}-\d\d-\d\d$/;
const notComparable: Parse = () => undefined;

/** By the type's oid in the catalog, which is the same in every database. Undefined stands for what change events print in another form. */
const parsers: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  // boolean
  [16, (text) => (text === 't' ? 'true' : 'false')],
  // bytea, in hex
  [17, (text) => Buffer.from(text.slice(2), 'hex')],
  // json, which only arrays are read as: the others are cast to text
  [114, (text) => JSON.parse(text) as (string | null)[]],
  // date
  [1082, (text) => (usualDate.test(text) ? text : undefined)],
  // interval
  [1186, notComparable],
  // time with time zone
  [1266, notComparable],
]);

/** Parsers for a query whose values are compared with those of change events, or stand for them. */
export const printedValues = {
  getTypeParser: (oid: number): Parse => parsers.get(oid) ?? ((text) => text),
};
