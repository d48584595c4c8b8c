import { AvroReader, malformed } from './avro-reader.ts';
import {
  compileSkip,
  NamedTypes,
  type Skip,
  unexpected,
  type WriterObject,
  type WriterSchema,
} from './avro-skip.ts';

/** What the engine needs of a change event beside its row; positions are Postgres LSNs. */
export interface ChangeHead {
  /** `c`, `u`, `d`, `r`, `t` (truncate) or `m` (message). */
  op: string;
  /** `true`, `first`, `last`, `incremental`, ... for reads; undefined or `false` while streaming. */
  snapshot: string | undefined;
  /** End LSN of the commit before this transaction, from source.sequence[0]. */
  previousCommit: bigint | undefined;
  lsn: bigint | undefined;
  txId: bigint | undefined;
  /** Commit time, ms since the epoch. */
  commitMs: number;
  /** Where the row after the change starts; -1 if there is none. */
  after: number;
}

type Read = (reader: AvroReader, head: ChangeHead) => void;

/**
 * Compiled from a writer schema of Debezium's change event envelope
 * (https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-change-events-value):
 * reads op and source, notes where `after` starts, and skips the rest, `before` above all: with the default replica identity it
 * holds invented values, with FULL it holds old personal data.
 */
export class EnvelopePlan {
  /** Writer schema of the row. */
  readonly row: WriterObject;
  readonly names: NamedTypes;
  private readonly reads: readonly Read[];

  constructor(schema: WriterSchema) {
    this.names = new NamedTypes(schema);
    const envelope = record(this.names.resolve(schema), 'the change event');
    const after = envelope.fields?.find((f) => f.name === 'after');
    if (!after) throw unexpected('the change event has no field after');
    this.row = record(nonNull(after.type, this.names), 'after');
    this.reads = (envelope.fields ?? []).map((field) => {
      const skip = compileSkip(field.type, this.names);
      if (field.name === 'after') return readAfter(skip, this.names.resolve(field.type));
      if (field.name === 'op') return (r, head) => void (head.op = r.readBytes().toString('latin1'));
      if (field.name === 'source')
        return compileSource(record(this.names.resolve(field.type), 'source'), this.names);
      return skip;
    });
  }

  /** Reads the envelope that the reader stands at; it must fill the reader to its end. */
  read(reader: AvroReader): ChangeHead {
    const head: ChangeHead = {
      op: '',
      snapshot: undefined,
      previousCommit: undefined,
      lsn: undefined,
      txId: undefined,
      commitMs: 0,
      after: -1,
    };
    for (const read of this.reads) read(reader, head);
    if (reader.pos !== reader.end) throw malformed();
    return head;
  }
}

function readAfter(skip: Skip, type: WriterSchema): Read {
  if (!Array.isArray(type)) throw unexpected('after is not nullable');
  const nullBranch = type.indexOf('null');
  return (r, head) => {
    const at = r.pos;
    const branch = r.readInt();
    if (branch !== nullBranch) head.after = r.pos;
    r.pos = at;
    skip(r);
  };
}

function compileSource(source: WriterObject, names: NamedTypes): Read {
  const reads = (source.fields ?? []).map((field): Read => {
    const skip = compileSkip(field.type, names);
    const type = names.resolve(field.type);
    const nullBranch = Array.isArray(type) ? type.indexOf('null') : undefined;
    const optional =
      (read: Read): Read =>
      (r, head) => {
        if (nullBranch === undefined || r.readInt() !== nullBranch) read(r, head);
      };
    switch (field.name) {
      case 'snapshot':
        return optional((r, head) => void (head.snapshot = r.readBytes().toString('latin1')));
      case 'sequence':
        return optional(
          (r, head) => void (head.previousCommit = previousCommit(r.readBytes().toString('latin1'))),
        );
      case 'lsn':
        return optional((r, head) => void (head.lsn = r.readLong()));
      case 'txId':
        return optional((r, head) => void (head.txId = r.readLong()));
      case 'ts_ms':
        return optional((r, head) => void (head.commitMs = Number(r.readLong())));
      default:
        return skip;
    }
  });
  return (r, head) => {
    for (const read of reads) read(r, head);
  };
}

/** `["24023128","24023200"]` or `[null,"24023200"]`: the commit before, then the change's own LSN. */
function previousCommit(sequence: string): bigint | undefined {
  if (!sequence.startsWith('["')) return undefined;
  const digits = sequence.slice(2, sequence.indexOf('"', 2));
  if (!/^\d{1,20}$/.test(digits)) throw malformed();
  return BigInt(digits);
}

function nonNull(type: WriterSchema, names: NamedTypes): WriterSchema {
  const resolved = names.resolve(type);
  if (!Array.isArray(resolved)) return resolved;
  const branch = resolved.find((t) => t !== 'null');
  if (branch === undefined) throw unexpected('after has no type');
  return names.resolve(branch);
}

function record(schema: WriterSchema, what: string): WriterObject {
  if (typeof schema === 'string' || Array.isArray(schema) || schema.type !== 'record') {
    throw unexpected(`${what} is not a record`);
  }
  return schema;
}
