import type { CleanChange } from '../../pipeline/sink.ts';
import type { Dataset, DatasetColumn } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { decodeRecordKey } from '../../schemas/record-key.ts';
import { formatLsn, versionToUInt256, positionOf } from '../../schemas/version.ts';
import { unexpected } from '../unfit-value.ts';
import { writeKeyPart } from './key-part.ts';
import { RowBinary } from './row-binary.ts';
import { columnType, metaColumns } from './types.ts';
import { writeValue } from './values.ts';

/** How the rows of a dataset are written. */
export interface RowFormat {
  /** Column names in the order of the bytes. */
  readonly columns: readonly string[];
  /** Head of RowBinaryWithNamesAndTypes: a table of other types refuses it, where plain RowBinary would be misread. */
  readonly header: Buffer;
  /** Writes one row; throws a LetheError for a value that has no form here, with the row half written. */
  write(out: RowBinary, change: CleanChange): void;
}

type WriteColumn = (out: RowBinary, change: CleanChange, key: readonly string[]) => void;

/**
 * Compiles a dataset. The key columns come from the record's key, in rows and in deletes alike: a delete has
 * nothing else, and only the same bytes in the sorting key let it replace the row.
 */
export function compileRows(dataset: Dataset): RowFormat {
  const columns = dataset.columns.map((column) => ({
    name: column.name,
    sql: columnType(column).sql,
    write: column.keyIndex === undefined ? writeColumn(column) : writeKey(column, column.keyIndex),
  }));
  const all = [...columns, ...metaColumns];
  const keyLength = dataset.key.length;
  return {
    columns: all.map((column) => column.name),
    header: header(all),
    write(out, change) {
      const key = decodeRecordKey(change.key);
      if (key.length !== keyLength) {
        throw new LetheError('RECORD_MALFORMED', `A key of ${dataset.table} has not ${keyLength} parts.`);
      }
      for (const column of columns) column.write(out, change, key);
      writeMeta(out, change);
    },
  };
}

function writeColumn(column: DatasetColumn): WriteColumn {
  const { defaultBytes, nullable } = columnType(column);
  const write = writeValue(column);
  const isArray = column.clean === 'array';
  return (out, change) => {
    if (change.row === null && !nullable) return out.zeros(defaultBytes);
    const value = change.row === null ? null : change.row[column.name];
    if (value !== null && value !== undefined) {
      if (nullable) out.byte(0);
      return write(out, value);
    }
    if (nullable) return out.byte(1);
    // No array can be null in ClickHouse: an empty one stands for it.
    if (isArray && column.nullable) return out.byte(0);
    throw unexpected(column, 'value');
  };
}

function writeKey(column: DatasetColumn, index: number): WriteColumn {
  const write = writeKeyPart(column);
  return (out, _change, key) => write(out, key[index]!);
}

function writeMeta(out: RowBinary, change: CleanChange): void {
  out.integer(versionToUInt256(change.version), 32);
  out.byte(change.row === null ? 1 : 0);
  out.string(change.eventId);
  out.string(change.traceId);
  out.string(formatLsn(positionOf(change.version)));
  out.int64(BigInt(change.commitMs));
  out.string(change.contract);
}

function header(columns: readonly { readonly name: string; readonly sql: string }[]): Buffer {
  const out = new RowBinary(1_024);
  out.varint(columns.length);
  for (const column of columns) out.string(column.name);
  for (const column of columns) out.string(column.sql);
  return out.bytes();
}
