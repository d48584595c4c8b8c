import { isUtf8 } from 'node:buffer';
import type { Canary } from './canary.ts';
import { VerifyError } from './verify-error.ts';

/** One run of bytes to look for, the canary it betrays, and the form it is in. */
export interface Needle {
  readonly bytes: Buffer;
  readonly canary: Canary;
  readonly form: string;
}

/** Shorter runs occur by chance in gigabytes of files. */
const minBytes = 6;

/** Every form of every canary that the search looks for. */
export function needlesOf(canaries: readonly Canary[]): Needle[] {
  const needles: Needle[] = [];
  for (const canary of canaries) {
    for (const value of canary.bytes) {
      const bytes = Buffer.from(value);
      if (bytes.length < minBytes) {
        const name = `${canary.table}.${canary.column}`;
        throw new VerifyError('NOT_COVERED', `a canary of ${name} is shorter than ${minBytes} bytes`);
      }
      const seen = new Set<string>();
      for (const [form, written] of formsOf(bytes)) {
        const key = written.toString('latin1');
        if (written.length < minBytes || seen.has(key)) continue;
        seen.add(key);
        needles.push({ bytes: written, canary, form });
      }
    }
  }
  return needles;
}

/** The bytes as they are, and as the encodings that data passes through write them. */
function formsOf(bytes: Buffer): [form: string, written: Buffer][] {
  const forms: [string, Buffer][] = [
    ['plain', bytes],
    ['hex', Buffer.from(bytes.toString('hex'))],
    ['hex', Buffer.from(bytes.toString('hex').toUpperCase())],
    ...base64Forms(bytes),
    ['url', Buffer.from(percentEncoded(bytes, false))],
    ['url', Buffer.from(percentEncoded(bytes, true))],
  ];
  if (!isUtf8(bytes)) return forms;
  const text = bytes.toString('utf8');
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = asciiEscaped(json);
  forms.push(
    ['json', Buffer.from(json)],
    ['json', Buffer.from(ascii)],
    ['json', Buffer.from(ascii.replaceAll(/\\u[0-9a-f]{4}/g, (c) => `\\u${c.slice(2).toUpperCase()}`))],
    // JSON inside a JSON string, as a configuration in an answer.
    ['json', Buffer.from(JSON.stringify(json).slice(1, -1))],
    ['json', Buffer.from(json.replaceAll('/', '\\/'))],
    ['utf-16', Buffer.from(text, 'utf16le')],
    ['utf-16', Buffer.from(text, 'utf16le').swap16()],
    ['lower case', Buffer.from(text.toLowerCase())],
  );
  // oxlint-disable-next-line no-control-regex -- the range of Latin-1
  if (/^[\u0000-\u00ff]*$/.test(text)) forms.push(['latin-1', Buffer.from(text, 'latin1')]);
  return forms;
}

/**
 * Base64 of the bytes at each of the three places that a run can start in; the characters at both ends that depend on
 * the neighbours are cut off. Both alphabets.
 */
function base64Forms(bytes: Buffer): [string, Buffer][] {
  return [0, 1, 2].flatMap((shift): [string, Buffer][] => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    const text = whole.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
    const url = text.replaceAll('+', '-').replaceAll('/', '_');
    return [
      ['base64', Buffer.from(text)],
      ['base64', Buffer.from(url)],
    ];
  });
}

/** Everything but unreserved characters as %HH; `plus` writes a space as `+`, as forms do. */
function percentEncoded(bytes: Buffer, plus: boolean): string {
  let out = '';
  for (const byte of bytes) {
    const c = String.fromCharCode(byte);
    if (/[A-Za-z0-9_.~-]/.test(c)) out += c;
    else if (plus && c === ' ') out += '+';
    else out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** JSON with every character beyond ASCII escaped by its code unit. */
function asciiEscaped(json: string): string {
  return json.replaceAll(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
