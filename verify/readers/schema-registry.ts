import avro from 'avsc';
import { askText, type Endpoint } from '../http.ts';
import { VerifyError } from '../verify-error.ts';

/** Longs as bigint: a JavaScript number would round them. */
const bigLong = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

/** Decodes values in Confluent's wire format: a zero byte, the schema's id, Avro. */
export class WireDecoder {
  readonly #registry: Endpoint;
  readonly #types = new Map<number, Promise<avro.Type>>();

  constructor(registry: Endpoint) {
    this.#registry = registry;
  }

  /** The record's fields, in the writer's order. */
  async decode(value: Buffer): Promise<Map<string, unknown>> {
    if (value.length < 5 || value[0] !== 0) throw malformed();
    const id = value.readInt32BE(1);
    let type = this.#types.get(id);
    if (!type) {
      type = this.#fetch(id);
      this.#types.set(id, type);
    }
    const schema = await type;
    try {
      const record = schema.fromBuffer(value.subarray(5)) as Record<string, unknown>;
      return new Map(Object.entries(record));
    } catch {
      throw malformed();
    }
  }

  async #fetch(id: number): Promise<avro.Type> {
    const answer = await askText(this.#registry, `the schema registry (schema ${id})`, {
      path: `/schemas/ids/${id}`,
    });
    const { schema } = JSON.parse(answer) as { schema: string };
    return typeOf(JSON.parse(schema));
  }
}

/** A decoder for a schema; unions are unwrapped, logical types stay what they are stored as. */
export function typeOf(schema: unknown): avro.Type {
  return avro.Type.forSchema(schema as avro.Schema, {
    // A long with attributes (a logical type) is not found by name: the hook sees it in both forms.
    typeHook: (part) => (isLong(part) ? bigLong : undefined),
    wrapUnions: 'never' as never,
  });
}

function isLong(schema: unknown): boolean {
  return schema === 'long' || (schema as { type?: unknown } | null)?.type === 'long';
}

function malformed(): VerifyError {
  return new VerifyError('DATA_MALFORMED', 'not Avro of the schema that the record names');
}
