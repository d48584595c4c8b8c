import type { DatasetColumn } from '../schemas/dataset.ts';
import { LetheError } from '../schemas/errors.ts';

/** A value that is right but has no lossless form in the store. The reason must not quote it. */
export function unrepresentable(column: DatasetColumn, reason: string): LetheError {
  return new LetheError('VALUE_UNREPRESENTABLE', `Column ${column.name}: ${reason}.`, {
    detail: { column: column.name },
  });
}

/** A value that is not what the clean schema says of its column. */
export function unexpected(column: DatasetColumn, wanted: string): LetheError {
  return new LetheError('SCHEMA_UNEXPECTED', `Column ${column.name}: the record holds no ${wanted}.`, {
    detail: { column: column.name },
  });
}
