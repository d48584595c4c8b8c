import { canonicalJson, parseJson } from './json.ts';
import type { KeyRing } from './key-ring.ts';
import type { PlaceForm } from './readers/place-row.ts';
import { typeOf } from './readers/schema-registry.ts';
import { avroTypeOf, normalFromAvro } from './rules/avro-value.ts';
import { associatedData, type Ciphertext, openCiphertext, parseCiphertext } from './rules/ciphertext.ts';
import { isArray } from './rules/kind.ts';
import { replacedAt, type RuledPath, ruledPaths } from './rules/path-map.ts';
import { foundKind, opened } from './rules/protect-column.ts';
import type { ColumnCheck, TableCheck } from './rules/table-check.ts';
import { VerifyError } from './verify-error.ts';

/** Whose key a ciphertext must be under: the row's own subject, or one that is found by the key that it names; null if there is none. */
export type SubjectOf = string | null | ((ciphertext: Ciphertext) => string | null);

/** Takes note of a nonce; false if it was met in another place before. */
export type Claim = (key: string, column: string, ciphertext: Ciphertext) => boolean;

/** Brings the values of a place's rows to their normal form, encrypted ones opened with their subject's key. */
export class CellValues {
  /** Values opened so far. */
  decrypted = 0;
  readonly #form: PlaceForm;
  readonly #check: TableCheck;
  readonly #keys: KeyRing | undefined;
  readonly #claim: Claim;
  readonly #plainTypes: ReadonlyMap<string, ReturnType<typeof typeOf>>;
  readonly #paths: ReadonlyMap<string, readonly RuledPath[]>;

  constructor(form: PlaceForm, check: TableCheck, keys: KeyRing | undefined, claim: Claim) {
    this.#form = form;
    this.#check = check;
    this.#keys = keys;
    this.#claim = claim;
    this.#plainTypes = new Map(
      check.columns
        .filter((column) => column.rule.action === 'encrypt')
        .map((column) => [column.name, typeOf(avroTypeOf(column.kind))]),
    );
    this.#paths = new Map(
      check.columns.flatMap(({ name, rule }) =>
        rule.action === 'paths' ? [[name, ruledPaths(rule.paths)] as const] : [],
      ),
    );
  }

  /** The normal form of a value that is not null; throws DATA_MALFORMED for what has none. */
  normal(key: string, subject: SubjectOf, column: ColumnCheck, value: unknown): string {
    switch (column.rule.action) {
      case 'mask':
      case 'truncate':
      case 'redact':
      case 'hash':
      case 'tokenise':
      case 'format-preserving':
        return this.#form.text(value);
      case 'encrypt':
        return this.#openValue(key, subject, column, this.#form.bytes(value));
      case 'paths':
        return this.#openPaths(key, subject, column, value);
      default:
        return this.#form.normal(column, value);
    }
  }

  #openValue(key: string, subject: SubjectOf, column: ColumnCheck, bytes: Buffer): string {
    const plain = this.#open(key, subject, column.name, column.rule.classification, bytes);
    let value: unknown;
    try {
      value = this.#plainTypes.get(column.name)!.fromBuffer(plain);
    } catch {
      throw new VerifyError('DATA_MALFORMED', 'a plaintext is not Avro of its type');
    }
    return normalFromAvro(column.kind, value);
  }

  /** A JSON text or an array, what is encrypted in it opened where it stands. */
  #openPaths(key: string, subject: SubjectOf, column: ColumnCheck, value: unknown): string {
    const text = isArray(column.kind)
      ? this.#form.normal({ ...column, kind: foundKind(column) }, value)
      : this.#form.text(value);
    const paths = this.#paths.get(column.name)!;
    const found = replacedAt(parseJson(text), paths, (sealed, { path, rule }) => {
      if (typeof sealed !== 'string') throw new VerifyError('DATA_MALFORMED', 'not a ciphertext');
      const bytes = Buffer.from(sealed, 'base64');
      const classification = rule.classification ?? column.rule.classification;
      const plain = this.#open(key, subject, `${column.name}#${path}`, classification, bytes);
      return opened(parseJson(plain.toString('utf8')));
    });
    return canonicalJson(found);
  }

  /** The plaintext of an encrypted value; `place` is the column, or the path within it. */
  #open(key: string, of: SubjectOf, place: string, classification: string, bytes: Buffer): Buffer {
    const { table, subject: rule } = this.#check;
    const ciphertext = parseCiphertext(bytes);
    const subject = typeof of === 'function' ? of(ciphertext) : of;
    if (!rule || subject === null || !this.#keys) {
      throw new VerifyError('DATA_MALFORMED', 'an encrypted value has no subject');
    }
    if (!this.#claim(key, place, ciphertext)) {
      throw new VerifyError('DATA_MALFORMED', 'a nonce was used twice');
    }
    const valueKey = this.#keys.valueKey(ciphertext, rule.type, subject, table, classification);
    const plain = openCiphertext(ciphertext, valueKey, associatedData(table, place, ciphertext.keyId));
    this.decrypted++;
    return plain;
  }
}
