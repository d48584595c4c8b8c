import { z } from 'zod';
import { associatedData, decrypt, encrypt } from '../keys/ciphertext.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { LetheError } from '../schemas/errors.ts';
import { keyUse } from '../schemas/key-use.ts';

const position = z.string().regex(/^[0-9a-f]{4}-[0-9a-f]{16}-[0-9a-f]{16}-[0-9a-f]{8}$/);

const placeShape = z.strictObject({
  place: z.string(),
  asked: z.int(),
  found: z.int(),
  /** How often the same scan met what is known to be there. */
  controls: z.int(),
  records: z.int(),
  files: z.int(),
  bytes: z.int(),
  at: z.string(),
  /** Why nobody can say that nothing is there. */
  why: z.string().optional(),
});
export type ScannedPlace = z.infer<typeof placeShape>;

const inventoryShape = z.strictObject({
  subject: z.strictObject({ type: z.string(), id: z.string() }),
  /** Records of clean topics. */
  records: z.array(z.strictObject({ table: z.string(), key: z.string() })).default([]),
  /** Records that were the person's and are somebody else's by now: what was the person's in them goes, and the rest stays. */
  others: z.array(z.strictObject({ table: z.string(), key: z.string() })).default([]),
  /** Rows at the source, by table, before any went. */
  sourceRows: z.record(z.string(), z.int()).default({}),
  /** Their keys there, in the form of record keys: by which they are found in raw records. */
  sourceKeys: z.record(z.string(), z.array(z.string())).default({}),
  /** Key that is destroyed: what stands in the person's ciphertexts. */
  keyId: z.string().optional(),
  /** What is looked for at the end, as base64: by table and column. */
  values: z.array(z.strictObject({ table: z.string(), column: z.string(), bytes: z.string() })).default([]),
  /** What stands for the person in the column of a table's clean rows that says whose each is. */
  marks: z.array(z.strictObject({ table: z.string(), value: z.string() })).default([]),
  /** What the places said at the end. */
  places: z.array(placeShape).default([]),
  /** From which the ids of rows that are kept by law are drawn: 32 bytes as base64. */
  lot: z.base64().optional(),
  /** Version of the tombstones: above all that was there when the last process had ceased to let the person pass. */
  barrier: position.optional(),
});

/** All that an erasure must know of the person until it is certified. It is personal data itself, and lives as long as the request's key. */
export type Inventory = z.infer<typeof inventoryShape>;

/** A new one, of a person of whom nothing is known yet. */
export function newInventory(type: string, id: string): Inventory {
  return inventoryShape.parse({ subject: { type, id } });
}

/** Whose key inventories are sealed under: one for each request. */
export const requestSubjectType = 'lethe-erasure-request';
const use = keyUse('encrypt', 'erasure', 'inventory');

/** The inventory under the request's own key, which is made with it. */
export async function sealInventory(
  keys: Pick<KeyStore, 'dataKeys'>,
  request: string,
  inventory: Inventory,
): Promise<Buffer> {
  const [key] = await keys.dataKeys({ type: requestSubjectType }, [request]);
  if (!key) throw closed(request);
  return encrypt(key, use, associatedData('erasure', request), Buffer.from(JSON.stringify(inventory)));
}

/** Opens it again; ERASURE_REFUSED once its key is destroyed, which it is with the certificate. */
export async function openInventory(
  keys: Pick<KeyStore, 'dataKeys'>,
  request: string,
  sealed: Buffer,
): Promise<Inventory> {
  const [key] = await keys.dataKeys({ type: requestSubjectType }, [request]);
  const bytes = key && decrypt(key, use, associatedData('erasure', request), sealed);
  if (!bytes) throw closed(request);
  return inventoryShape.parse(JSON.parse(bytes.toString()));
}

function closed(request: string): LetheError {
  return new LetheError('ERASURE_REFUSED', `nobody can open what request ${request} knows of the person`, {
    fix: 'Its key is destroyed: see its certificate, or file another request.',
  });
}
