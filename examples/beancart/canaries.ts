import { createHash } from 'node:crypto';
import { addressForms, encodedForms, instantForms, integerForms, uuidForms } from './canary-bytes.ts';
import { type ProtectedAction, type ProtectedColumn, protectedColumns } from './protected-columns.ts';
import type { Random } from './random.ts';
import type { Row, RowValue, Table } from './row.ts';

/**
 * Every canary that is text starts with this, also inside bytea, jsonb and arrays; no character of it needs an
 * escape, and a text analyser leaves it in one piece. So one search finds any of them.
 */
export const canaryMark = 'zq7_canary_';

/** What must be found nowhere behind the contract. */
export interface Canary {
  readonly table: Table;
  readonly column: string;
  /** `drop`, `null` and `unnamed` values must not even reach the raw topic. */
  readonly action: ProtectedAction;
  /** The planted value, or what all planted values of the column start with. */
  readonly value: string;
  /**
   * The forms in which it may lie in a file. Empty where the type cannot carry ten distinctive bytes (boolean):
   * the row-by-row comparison covers those. A date has its ISO text alone, its day number is too short.
   */
  readonly bytes: readonly Buffer[];
}

/** One canary for each column that the contracts do not keep. */
export function canaries(): Canary[] {
  return protectedColumns.map((column) => {
    const { table, action } = column;
    const { value, bytes } = describe(column);
    return { table, column: column.column, action, value, bytes };
  });
}

/** A canary to write into the column; `tag` ([a-z0-9_]) makes it unique where the type is text. */
export function canaryValue(column: ProtectedColumn, tag: string): RowValue {
  const token = `${describe(column).value}${tag}`;
  switch (column.kind) {
    case 'text':
      return masked(column, token);
    case 'email':
      return `${token}@canary.example`;
    case 'texts':
      return ['', token, null];
    case 'json':
      return { [token]: { deep: [token] } };
    case 'bytes':
      return `\\x${Buffer.from(token).toString('hex')}`;
    case 'boolean':
      return true;
    default:
      return describe(column).value;
  }
}

/** The same in a TOAST-sized value, with a canary at its start, in its middle and at its end. */
export function largeCanaryValue(column: ProtectedColumn, tag: string, random: Random): RowValue {
  const mail = column.kind === 'email' ? '@canary.example' : '';
  const token = (place: string): string => `${describe(column).value}${tag}_${place}${mail}`;
  const half = random.toastLength() / 2;
  const parts = [token('start'), random.longText(half), token('middle'), random.longText(half), token('end')];
  switch (column.kind) {
    case 'texts':
      return parts;
    case 'json':
      return { parts };
    case 'bytes':
      return `\\x${Buffer.from(parts.join('\0')).toString('hex')}`;
    default:
      return masked(column, parts.join(' '));
  }
}

/** Writes a canary into every protected column that the row has; foreign keys follow what they refer to. */
export function plantCanaries(table: Table, row: Row, tag: string, large?: Random): Row {
  for (const column of protectedColumns) {
    if (column.table !== table || column.valuesOf !== undefined || !(column.column in row)) continue;
    row[column.column] =
      large && column.large ? largeCanaryValue(column, tag, large) : canaryValue(column, tag);
  }
  return row;
}

function masked(column: ProtectedColumn, text: string): string {
  return '0'.repeat(column.keepStart) + text + '9'.repeat(column.keepEnd);
}

interface Description {
  readonly value: string;
  readonly bytes: readonly Buffer[];
}
const described = new Map<ProtectedColumn, Description>();

function describe(column: ProtectedColumn): Description {
  const known = described.get(column);
  if (known) return known;
  const made = make(column);
  described.set(column, made);
  return made;
}

function make(column: ProtectedColumn): Description {
  const name = `${column.table}.${column.column}`;
  const digest = createHash('sha256').update(name).digest();
  const digits = BigInt(`0x${digest.subarray(0, 16).toString('hex')}`)
    .toString()
    .padStart(40, '7')
    .slice(-32);
  const two = (at: number, below: number, from = 0): string =>
    String(from + (digest[at]! % below)).padStart(2, '0');
  const day = `${two(16, 12, 1)}-${two(17, 28, 1)}`;
  const time = `${two(18, 24)}:${two(19, 60)}:${two(20, 60)}.${digits.slice(1, 6)}7`;
  switch (column.kind) {
    case 'boolean':
      return { value: 'true', bytes: [] };
    case 'date':
      return textForm(`19${two(21, 17, 3)}-${day}`);
    case 'time':
      return textForm(time);
    case 'timestamp':
    case 'timestamptz': {
      const iso = `19${two(21, 19, 31)}-${day}T${time}`;
      return { value: column.kind === 'timestamp' ? iso : `${iso}Z`, bytes: instantForms(iso) };
    }
    case 'digits':
      return textForm(`6${digits.slice(1, 16)}`);
    case 'decimal':
      return textForm(`8${digits.slice(1, 8)}.${digits.slice(8, 9)}7`);
    case 'coordinate':
      return textForm(`1${two(22, 70, 10)}.${digits.slice(1, 6)}7`);
    case 'long': {
      const value = `7${digits.slice(1, 18)}`;
      return { value, bytes: integerForms(BigInt(value)) };
    }
    case 'uuid': {
      const hex = digest.toString('hex');
      const value = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-9${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
      return { value, bytes: uuidForms(value) };
    }
    case 'inet': {
      // No group starts with 0, so the address has one spelling.
      const groups = Array.from({ length: 7 }, (_, i) => (digest.readUInt16BE(i * 2) | 0x1000).toString(16));
      const value = ['fd7a', ...groups].join(':');
      return { value, bytes: addressForms(value) };
    }
    default: {
      const value = `${canaryMark}${(column.valuesOf ?? name).replace('.', '_')}__`;
      const bytes = Buffer.from(value);
      return { value, bytes: column.kind === 'bytes' ? encodedForms(bytes) : [bytes] };
    }
  }
}

function textForm(value: string): Description {
  return { value, bytes: [Buffer.from(value)] };
}
