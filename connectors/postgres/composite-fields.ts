import type { ClientBase } from 'pg';

/** What a value within a composite is: its fields if it is one itself, its elements if it is an array. */
export interface FieldType {
  /** As a person writes it. */
  readonly typeText: string;
  /** An object whose keys the catalog does not know: json, jsonb, hstore. */
  readonly isOpen: boolean;
  readonly elements?: FieldType;
  readonly fields?: readonly CompositeField[];
}

export interface CompositeField extends FieldType {
  readonly name: string;
}

interface TypeRow {
  readonly oid: number;
  readonly name: string;
  /** As in pg_type: `d` domain, `c` composite. */
  readonly kind: string;
  /** What a domain is made of, or an array: 0 for everything else. */
  readonly inner: number;
  readonly is_array: boolean;
  readonly fields: readonly { readonly name: string; readonly type: number; readonly text: string }[];
}

const openTypes: ReadonlySet<string> = new Set(['json', 'jsonb', 'hstore']);

/** The fields of composite types, whatever they are made of, by the type's oid. No type contains itself: Postgres refuses that. */
export async function readCompositeFields(
  client: ClientBase,
  composites: readonly number[],
): Promise<(type: number) => readonly CompositeField[]> {
  const types = new Map<number, TypeRow>();
  for (let asked = [...new Set(composites)]; asked.length > 0; ) {
    const { rows } = await client.query<{ type: TypeRow }>(typesSql, [asked]);
    for (const { type } of rows) types.set(type.oid, type);
    const named = rows.flatMap(({ type: { inner, fields } }) => [inner, ...fields.map(({ type }) => type)]);
    asked = [...new Set(named)].filter((oid) => oid !== 0 && !types.has(oid));
  }
  const fieldsOf = (type: TypeRow): CompositeField[] =>
    type.fields.map((field) => ({ name: field.name, ...typeOf(field.type, field.text) }));
  const typeOf = (oid: number, typeText: string): FieldType => {
    const type = types.get(oid)!;
    if (type.kind === 'd') return typeOf(type.inner, typeText);
    return {
      typeText,
      isOpen: openTypes.has(type.name),
      ...(type.is_array ? { elements: typeOf(type.inner, typeText.replace(/\[\]$/, '')) } : {}),
      ...(type.kind === 'c' ? { fields: fieldsOf(type) } : {}),
    };
  };
  return (type) => fieldsOf(types.get(type)!);
}

const typesSql = `
select json_build_object('oid', t.oid::int8, 'name', t.typname, 'kind', t.typtype, 'is_array', t.typcategory = 'A',
  'inner', (case when t.typtype = 'd' then t.typbasetype when t.typcategory = 'A' then t.typelem else 0 end)::int8,
  'fields', coalesce((select json_agg(json_build_object('name', a.attname, 'type', a.atttypid::int8,
      'text', pg_catalog.format_type(a.atttypid, a.atttypmod)) order by a.attnum)
    from pg_catalog.pg_attribute a
    where t.typtype = 'c' and a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped), '[]')) as type
from pg_catalog.pg_type t where t.oid = any($1::int8[]::oid[])`;
