import type { DatasetColumn } from '../../schemas/dataset.ts';
import { parseIsoDate } from '../civil-time.ts';
import { unexpected } from '../unfit-value.ts';
import type { RowBinary } from './row-binary.ts';
import { writeDay, writeMicros, writeValue } from './values.ts';
import { parseIsoTimestamp } from '../civil-time.ts';

/** Writes a key column from its canonical text, see schemas/record-key.ts. */
export function writeKeyPart(column: DatasetColumn): (out: RowBinary, part: string) => void {
  const write = writeValue(column);
  switch (column.clean) {
    case 'boolean':
      return (out, part) => write(out, part === 'true' ? true : part === 'false' ? false : part);
    case 'int':
      return (out, part) => write(out, integerPattern.test(part) ? Number(part) : part);
    case 'long':
      return (out, part) => write(out, integerPattern.test(part) ? BigInt(part) : part);
    case 'date':
      return (out, part) => {
        const days = parseIsoDate(part);
        if (days === undefined) throw unexpected(column, 'date in its key');
        writeDay(column, out, days);
      };
    case 'timestamp':
      return (out, part) => {
        const micros = parseIsoTimestamp(part);
        if (micros === undefined) throw unexpected(column, 'timestamp in its key');
        writeMicros(column, out, micros);
      };
    case 'time':
      return (out, part) => out.string(part);
    default:
      return write;
  }
}

const integerPattern = /^-?\d{1,19}$/;
