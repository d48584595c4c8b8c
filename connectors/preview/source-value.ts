import { LetheError } from '../../schemas/errors.ts';
import { elementKind, valueKind } from '../../schemas/value-kind.ts';
import type { CatalogColumn } from '../postgres/catalog.ts';
import { quoteName } from '../postgres/quote.ts';
import { debeziumDecimal, debeziumInterval, debeziumTimestamptz, debeziumTimetz } from './debezium-text.ts';

/** How a column is read: an expression whose text {@link rawValue} understands, under the settings of the reader. */
export function selectExpression(column: CatalogColumn): string {
  const name = quoteName(column.name);
  const micros = `(extract(epoch from ${name}) * 1000000)::bigint::text`;
  switch (valueKind(column)) {
    case 'array':
      return `to_json(${name}::text[])::text`;
    case 'date':
      return `case when isfinite(${name}) then (${name} - date '1970-01-01')::text else ${name}::text end`;
    case 'time':
      return micros;
    case 'timestamp':
      return `case when isfinite(${name}) then ${micros} else ${name}::text end`;
    default:
      if (column.typeName === 'hstore') return `to_json(${name})::text`;
      // The end of the day is a moment of its own only in UTC.
      return column.typeName === 'timetz'
        ? `case when ${name} = '24:00:00+00' then '24:00:00+00' else (${name} at time zone 'UTC')::text end`
        : name;
  }
}

/** A value in the form in which it stands in the raw record, int64 as bigint, from the text that Postgres gives. */
export function rawValue(column: CatalogColumn, text: string | null): unknown {
  if (text === null) return null;
  switch (valueKind(column)) {
    case 'boolean':
      return text === 't';
    case 'int':
    case 'float':
    case 'double':
      return Number(text);
    case 'long':
    case 'time':
      return BigInt(text);
    case 'date':
      if (isInfinity(text)) throw unfit(column, 'an infinite date');
      return Number(text);
    case 'timestamp':
      return isInfinity(text) ? infinities[text] : BigInt(text);
    case 'timestamptz':
      return debeziumTimestamptz(text, column.fractionDigits ?? 6);
    case 'decimal':
      return debeziumDecimal(text);
    case 'bytes':
      return Buffer.from(text.slice(2), 'hex');
    case 'array':
      return arrayOf(column, JSON.parse(text) as unknown[]);
    default:
      if (column.typeName === 'interval') return debeziumInterval(text);
      return column.typeName === 'timetz' ? debeziumTimetz(text) : text;
  }
}

const infinities = { infinity: 2n ** 63n - 1n, '-infinity': -(2n ** 63n) } as const;

function isInfinity(text: string): text is keyof typeof infinities {
  return text === 'infinity' || text === '-infinity';
}

function arrayOf(column: CatalogColumn, items: readonly unknown[]): unknown[] {
  const element = elementKind(column);
  return items.map((item) => {
    if (item === null) return null;
    if (typeof item !== 'string') throw unfit(column, 'an array of more than one dimension');
    if (element === 'text') return item;
    return element === 'long' ? BigInt(item) : Number(item);
  });
}

function unfit(column: CatalogColumn, what: string): LetheError {
  return new LetheError('VALUE_UNREPRESENTABLE', `column ${column.name} holds ${what}`);
}
