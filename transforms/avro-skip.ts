import { LetheError } from '../schemas/errors.ts';
import { type AvroReader, malformed } from './avro-reader.ts';

/** A writer schema as JSON, named types still by reference. */
export type WriterSchema = string | WriterSchema[] | WriterObject;
export interface WriterObject {
  readonly type: WriterSchema;
  readonly name?: string;
  readonly namespace?: string;
  readonly fields?: readonly WriterField[];
  readonly items?: WriterSchema;
  readonly values?: WriterSchema;
  readonly symbols?: readonly string[];
  readonly size?: number;
}
export interface WriterField {
  readonly name: string;
  readonly type: WriterSchema;
}

/** Named types of one writer schema, by full name. */
export class NamedTypes {
  private readonly types = new Map<string, WriterObject>();

  /** Collects all definitions below `schema`. */
  constructor(schema: WriterSchema) {
    this.collect(schema, undefined);
  }

  /** The schema itself, or what its name stands for; a short name must be the only one of its kind. */
  resolve(schema: WriterSchema): Exclude<WriterSchema, string> | string {
    if (typeof schema !== 'string' || primitives.has(schema)) return schema;
    const found = this.types.get(schema) ?? this.byShortName(schema);
    if (!found) throw unexpected(`type ${schema} is not defined, or not once`);
    return found;
  }

  private byShortName(name: string): WriterObject | undefined {
    const matches = [...this.types].filter(([full]) => full.endsWith(`.${name}`));
    return matches.length === 1 ? matches[0]![1] : undefined;
  }

  private collect(schema: WriterSchema, namespace: string | undefined): void {
    if (typeof schema === 'string') return;
    if (Array.isArray(schema)) {
      for (const branch of schema) this.collect(branch, namespace);
      return;
    }
    let inner = namespace;
    if (schema.name !== undefined) {
      const full = fullName(schema.name, schema.namespace ?? namespace);
      this.types.set(full, schema);
      inner = full.includes('.') ? full.slice(0, full.lastIndexOf('.')) : namespace;
    }
    for (const field of schema.fields ?? []) this.collect(field.type, inner);
    if (schema.items !== undefined) this.collect(schema.items, inner);
    if (schema.values !== undefined) this.collect(schema.values, inner);
    if (typeof schema.type === 'object') this.collect(schema.type, inner);
  }
}

export type Skip = (reader: AvroReader) => void;

const primitives = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']);

/** Compiles a function that moves a reader over one value of the schema without decoding it. */
export function compileSkip(schema: WriterSchema, names: NamedTypes, depth = 0): Skip {
  if (depth > 32) throw unexpected('the schema is nested too deeply or recursive');
  const resolved = names.resolve(schema);
  if (Array.isArray(resolved)) {
    const branches = resolved.map((branch) => compileSkip(branch, names, depth + 1));
    return (r) => {
      const branch = branches[r.readInt()];
      if (!branch) throw malformed();
      branch(r);
    };
  }
  const type = typeof resolved === 'string' ? resolved : resolved.type;
  if (typeof type !== 'string') return compileSkip(type, names, depth + 1);
  const object: WriterObject = typeof resolved === 'string' ? { type } : resolved;
  switch (type) {
    case 'null':
      return () => {};
    case 'boolean':
      return (r) => r.skip(1);
    case 'int':
    case 'long':
    case 'enum':
      return (r) => r.skipVarint();
    case 'float':
      return (r) => r.skip(4);
    case 'double':
      return (r) => r.skip(8);
    case 'bytes':
    case 'string':
      return (r) => r.skip(r.readInt());
    case 'fixed':
      return (r) => r.skip(object.size ?? 0);
    case 'record': {
      const fields = (object.fields ?? []).map((field) => compileSkip(field.type, names, depth + 1));
      return (r) => {
        for (const field of fields) field(r);
      };
    }
    case 'array':
      return skipBlocks(compileSkip(object.items!, names, depth + 1));
    case 'map': {
      const value = compileSkip(object.values!, names, depth + 1);
      return skipBlocks((r) => {
        r.skip(r.readInt());
        value(r);
      });
    }
    default:
      return compileSkip(type, names, depth + 1);
  }
}

/** Arrays and maps come in blocks: a negative count is followed by the block's size in bytes. */
function skipBlocks(item: Skip): Skip {
  return (r) => {
    for (;;) {
      const count = r.readInt();
      if (count === 0) return;
      if (count < 0) r.skip(r.readInt());
      else {
        // An item takes at least no byte (null): bound the loop by what can be there.
        if (count > (r.end - r.pos) * 8 + 1024) throw malformed();
        for (let i = 0; i < count; i++) item(r);
      }
    }
  };
}

export function unexpected(reason: string): LetheError {
  return new LetheError('SCHEMA_UNEXPECTED', reason);
}

function fullName(name: string, namespace: string | undefined): string {
  return name.includes('.') || !namespace ? name : `${namespace}.${name}`;
}
