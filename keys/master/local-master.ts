import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { LetheError } from '../../schemas/errors.ts';
import { seal, unseal } from '../aead.ts';
import type { Destruction, MasterKeys } from './master-key.ts';

const keyBytes = 32;
const shape = z.strictObject({
  format: z.literal(1),
  keys: z.record(
    z.string(),
    z.base64().refine((text) => Buffer.from(text, 'base64').length === keyBytes),
  ),
});
type KeyFile = z.infer<typeof shape>;

/**
 * Master keys in a file of this machine: for demo and development, where whoever can read the disk may read it all. A key that is
 * destroyed is overwritten in its place before the file is replaced; whether a disk that moves its blocks about, or a copy of the file,
 * still has it, nobody can say.
 */
export class LocalMasterKeys implements MasterKeys {
  readonly kind = 'local';
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Throws CONFIG_INVALID for a file that others may read, or that is none of keys. One that is missing is made by `lethe apply`. */
  check(): void {
    this.#read();
  }

  async create(): Promise<string> {
    const file = this.#read() ?? { format: 1, keys: {} };
    const name = `local-${randomBytes(8).toString('hex')}`;
    this.#write({ ...file, keys: { ...file.keys, [name]: randomBytes(keyBytes).toString('base64') } });
    return name;
  }

  async wrap(name: string, plaintext: Buffer, context: Buffer): Promise<Buffer> {
    return seal(this.#key(name), plaintext, context);
  }

  async unwrap(name: string, wrapped: Buffer, context: Buffer): Promise<Buffer> {
    const opened = unseal(this.#key(name), wrapped, context);
    if (!opened)
      throw new LetheError('KEY_STORE_INVALID', `the master key ${name} does not open this key store`);
    return opened;
  }

  async destroy(name: string): Promise<Destruction> {
    const file = this.#read();
    const secret = file?.keys[name];
    if (file && secret !== undefined) {
      this.#overwrite(secret);
      this.#write({
        ...file,
        keys: Object.fromEntries(Object.entries(file.keys).filter(([n]) => n !== name)),
      });
    }
    return { state: 'destroyed' };
  }

  #key(name: string): Buffer {
    const secret = this.#read()?.keys[name];
    if (secret === undefined) {
      throw new LetheError('KEY_STORE_INVALID', `keys.master.file holds no master key ${name}`, {
        fix: 'Name the file that this key store was made with.',
      });
    }
    return Buffer.from(secret, 'base64');
  }

  #read(): KeyFile | undefined {
    const refuse = (why: string, fix: string) =>
      new LetheError('CONFIG_INVALID', `keys.master.file ${why}`, { fix });
    let text: string;
    try {
      const { mode } = statSync(this.#path);
      if ((mode & 0o077) !== 0) throw refuse('may be read by others', 'Give it the mode 0600.');
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof LetheError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      throw refuse(`cannot be read (${code ?? 'no code'})`, 'Give this user the right to read it.');
    }
    const parsed = shape.safeParse(parseJson(text));
    if (!parsed.success)
      throw refuse('is no file of master keys', 'Name another one; `lethe apply` makes it.');
    return parsed.data;
  }

  /** Beside it, then in its place: a crash leaves the one or the other whole. */
  #write(file: KeyFile): void {
    const beside = `${this.#path}.new`;
    rmSync(beside, { force: true });
    put(beside, 'wx', (to) => void writeSync(to, `${JSON.stringify(file)}\n`));
    renameSync(beside, this.#path);
    put(dirname(this.#path), 'r', () => {});
  }

  #overwrite(secret: string): void {
    const at = readFileSync(this.#path).indexOf(secret);
    put(this.#path, 'r+', (to) => void writeSync(to, Buffer.alloc(secret.length, 'A'), 0, secret.length, at));
  }
}

function put(path: string, flags: string, write: (file: number) => void): void {
  const file = openSync(path, flags, 0o600);
  try {
    write(file);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
