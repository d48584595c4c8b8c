import type { ClientBase } from 'pg';

/** What lies in a value: fields if it is a composite, elements if it is an array. */
export interface ValueShape {
  /** As a person writes it. */
  readonly typeText: string;
  /** An object whose keys the catalog does not know: json, jsonb, hstore. */
  readonly isOpen: boolean;
  readonly elements?: ValueShape;
  readonly fields?: readonly ShapeField[];
}

export interface ShapeField extends ValueShape {
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

/** Shapes by a type's oid and text, of these types and what they are made of. No type contains itself: Postgres refuses that. */
export async function readShapes(
  client: ClientBase,
  of: readonly number[],
): Promise<(oid: number, typeText: string) => ValueShape> {
  const types = new Map<number, TypeRow>();
  for (let asked = [...new Set(of)]; asked.length > 0; ) {
    const { rows } = await client.query<{ type: TypeRow }>(typesSql, [asked]);
    for (const { type } of rows) types.set(type.oid, type);
    const named = rows.flatMap(({ type: { inner, fields } }) => [inner, ...fields.map(({ type }) => type)]);
    asked = [...new Set(named)].filter((oid) => oid !== 0 && !types.has(oid));
  }
  const fieldsOf = (type: TypeRow): ShapeField[] =>
    type.fields.map((field) => ({ name: field.name, ...shapeOf(field.type, field.text) }));
  const shapeOf = (oid: number, typeText: string): ValueShape => {
    const type = types.get(oid);
    // Dropped meanwhile.
    if (!type) return { typeText, isOpen: false };
    if (type.kind === 'd') return shapeOf(type.inner, typeText);
    return {
      typeText,
      isOpen: openTypes.has(type.name),
      ...(type.is_array ? { elements: shapeOf(type.inner, typeText.replace(/\[\]$/, '')) } : {}),
      ...(type.kind === 'c' ? { fields: fieldsOf(type) } : {}),
    };
  };
  return shapeOf;
}

const typesSql = `
select json_build_object('oid', t.oid::int8, 'name', t.typname, 'kind', t.typtype, 'is_array', t.typcategory = 'A',
  'inner', (case when t.typtype = 'd' then t.typbasetype when t.typcategory = 'A' then t.typelem else 0 end)::int8,
  'fields', coalesce((select json_agg(json_build_object('name', a.attname, 'type', a.atttypid::int8,
      'text', pg_catalog.format_type(a.atttypid, a.atttypmod)) order by a.attnum)
    from pg_catalog.pg_attribute a
    where t.typtype = 'c' and a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped), '[]')) as type
from pg_catalog.pg_type t where t.oid = any($1::int8[]::oid[])`;
