import { z } from 'zod';

const text = z.string().nullish();
const customProperties = z.array(z.looseObject({ property: z.string(), value: z.unknown() })).nullish();

const propertyShape = z.looseObject({
  name: z.string().min(1),
  physicalName: text,
  logicalType: text,
  primaryKey: z.boolean().nullish(),
  classification: text,
  encryptedName: text,
  tags: z.array(z.string()).nullish(),
  customProperties,
});
export type OdcsProperty = z.infer<typeof propertyShape>;

const tableShape = z.looseObject({
  name: z.string().min(1),
  physicalName: text,
  properties: z.array(propertyShape).min(1),
  customProperties,
});
export type OdcsTable = z.infer<typeof tableShape>;

const member = z.looseObject({ username: z.string(), role: text });

/**
 * What is read of a contract of the Open Data Contract Standard, version 3 (Bitol, bitol.io); all else of it is left
 * alone. `team` is a list of members before v3.1.
 */
export const odcsShape = z.looseObject({
  apiVersion: z.string().regex(/^v3\.\d+\.\d+$/, 'only version 3 of the standard is read: v3.1.0'),
  kind: z.literal('DataContract'),
  servers: z.array(z.looseObject({ schema: text })).nullish(),
  schema: z.array(tableShape).min(1),
  slaProperties: z.array(z.looseObject({ property: z.string(), value: z.unknown(), unit: text })).nullish(),
  team: z
    .union([z.array(member), z.looseObject({ name: text, members: z.array(member).nullish() })])
    .nullish(),
});
export type OdcsFile = z.infer<typeof odcsShape>;

/** The version that is written. */
export const odcsVersion = 'v3.1.0';
