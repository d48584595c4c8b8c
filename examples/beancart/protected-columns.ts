import type { ActionName } from '../../schemas/column-rule.ts';
import type { Table } from './row.ts';

/** `unnamed`: no contract names the column, so default-deny applies. */
export type ProtectedAction = Exclude<ActionName, 'keep'> | 'unnamed';

/** What a canary of the column looks like. */
export type ProtectedKind =
  | 'text'
  | 'email'
  | 'texts'
  | 'json'
  | 'bytes'
  | 'inet'
  | 'uuid'
  | 'long'
  | 'digits'
  | 'decimal'
  | 'coordinate'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'boolean';

/** A column whose value must not come out as it is. */
export interface ProtectedColumn {
  readonly table: Table;
  readonly column: string;
  readonly action: ProtectedAction;
  readonly kind: ProtectedKind;
  /** Code points that a mask or a truncation leaves readable; a canary stands between them. */
  readonly keepStart: number;
  readonly keepEnd: number;
  /** Some values are TOAST-sized. */
  readonly large: boolean;
  /** `table.column` whose values this foreign key repeats. */
  readonly valuesOf?: string;
}

interface Options {
  readonly keepStart?: number;
  readonly keepEnd?: number;
  readonly large?: true;
  readonly valuesOf?: string;
}
type Entry = readonly [column: string, action: ProtectedAction, kind: ProtectedKind, options?: Options];

/**
 * The contracts seen from the other side: written by hand and not read from them, so that a contract that loses a
 * column's protection does not also lose its canary. A test compares both.
 */
const declared: Readonly<Record<Table, readonly Entry[]>> = {
  customers: [
    ['external_ref', 'hash', 'text'],
    ['email', 'encrypt', 'email'],
    ['full_name', 'encrypt', 'text'],
    ['display_name', 'mask', 'text', { keepStart: 1 }],
    ['phone', 'mask', 'text', { keepEnd: 2 }],
    ['birth_date', 'generalise', 'date'],
    ['national_id', 'drop', 'text'],
    ['credit_limit', 'encrypt', 'decimal'],
    ['allergies', 'encrypt', 'texts', { large: true }],
    ['preferences', 'encrypt', 'json', { large: true }],
    ['needs_assistance', 'encrypt', 'boolean'],
    ['signup_ip', 'null', 'inet'],
    ['last_login_ip', 'generalise', 'inet'],
    ['last_login_at', 'encrypt', 'timestamptz'],
    ['terms_accepted_at', 'encrypt', 'timestamp'],
    ['call_after', 'encrypt', 'time'],
    ['password_hash', 'drop', 'bytes'],
    ['avatar', 'encrypt', 'bytes', { large: true }],
    ['notes', 'encrypt', 'text', { large: true }],
    ['referrer', 'drop', 'text'],
    ['crm_note', 'unnamed', 'text'],
  ],
  addresses: [
    ['recipient', 'encrypt', 'text'],
    ['company', 'null', 'text'],
    ['line1', 'encrypt', 'text'],
    ['line2', 'encrypt', 'text'],
    ['postcode', 'truncate', 'text', { keepStart: 2 }],
    ['phone', 'mask', 'text', { keepStart: 3, keepEnd: 2 }],
    ['latitude', 'drop', 'coordinate'],
    ['longitude', 'generalise', 'coordinate'],
    ['door_code', 'drop', 'text'],
    ['delivery_hint', 'unnamed', 'text'],
  ],
  payment_methods: [
    ['token', 'hash', 'text'],
    ['customer_ref', 'hash', 'text', { valuesOf: 'customers.external_ref' }],
    ['card_number', 'format-preserving', 'digits'],
    ['card_expiry', 'drop', 'date'],
    ['iban', 'encrypt', 'text'],
    ['account_holder', 'encrypt', 'text'],
    ['mandate_scan', 'encrypt', 'bytes', { large: true }],
    ['billing_ip', 'encrypt', 'inet'],
    ['gateway_payload', 'drop', 'json', { large: true }],
    ['verified_at', 'encrypt', 'timestamptz'],
    ['fraud_note', 'unnamed', 'text'],
  ],
  products: [
    ['cost', 'null', 'decimal'],
    ['supplier_contact', 'drop', 'text'],
    ['supplier_email', 'hash', 'email'],
    ['buyer_phone', 'mask', 'text', { keepEnd: 3 }],
    ['buyer_note', 'unnamed', 'text'],
  ],
  subscriptions: [
    ['gift_recipient', 'encrypt', 'text'],
    ['gift_message', 'encrypt', 'text'],
    ['partner_id', 'encrypt', 'uuid'],
    ['promo_code', 'hash', 'text'],
    ['cancel_reason', 'null', 'text'],
    ['internal_note', 'unnamed', 'text'],
  ],
  orders: [
    ['payment_token', 'hash', 'text', { valuesOf: 'payment_methods.token' }],
    ['contact_email', 'hash', 'email'],
    ['loyalty_card', 'tokenise', 'long'],
    ['client_ip', 'null', 'inet'],
    ['user_agent', 'drop', 'text'],
    ['invoice', 'paths', 'json'],
    ['gift_note', 'encrypt', 'text', { large: true }],
    ['debug_trace', 'unnamed', 'text'],
  ],
  order_items: [
    ['gift_tag', 'encrypt', 'text'],
    ['label_name', 'mask', 'text', { keepStart: 2 }],
    ['grind_note', 'null', 'text'],
    ['picker_note', 'unnamed', 'text'],
  ],
  shipments: [
    ['tracking_number', 'hash', 'text'],
    ['recipient', 'encrypt', 'text'],
    ['destination', 'encrypt', 'json'],
    ['label', 'hash', 'text', { large: true }],
    ['signature', 'drop', 'bytes'],
    ['driver_phone', 'mask', 'text', { keepEnd: 2 }],
    ['courier_remark', 'unnamed', 'text'],
  ],
  reviews: [
    ['body', 'redact', 'email', { large: true }],
    ['author_name', 'mask', 'text', { keepStart: 1 }],
    ['author_email', 'encrypt', 'email'],
    ['author_ip', 'hash', 'inet'],
    ['reply', 'encrypt', 'text', { large: true }],
    ['draft', 'null', 'text', { large: true }],
    ['moderation_note', 'drop', 'text', { large: true }],
    ['shadow_text', 'unnamed', 'text'],
  ],
};

/** Every column that no contract keeps. */
export const protectedColumns: readonly ProtectedColumn[] = Object.entries(declared).flatMap(
  ([table, entries]) =>
    entries.map(([column, action, kind, options]) => ({
      table: table as Table,
      column,
      action,
      kind,
      keepStart: options?.keepStart ?? 0,
      keepEnd: options?.keepEnd ?? 0,
      large: options?.large ?? false,
      ...(options?.valuesOf ? { valuesOf: options.valuesOf } : {}),
    })),
);

const byName = new Map(protectedColumns.map((c) => [`${c.table}.${c.column}`, c]));

/** The protected column of this name; asking for a column that is kept is a programming error. */
export function protectedColumn(table: Table, column: string): ProtectedColumn {
  const found = byName.get(`${table}.${column}`);
  if (!found) throw new Error(`${table}.${column} is not protected`);
  return found;
}
