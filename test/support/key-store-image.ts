import { Client } from 'pg';

/** A copy of the whole database of a key store, as a backup has it, beside it on the same server. Nobody may be connected while it is made. */
export class KeyStoreImage {
  readonly #url: URL;
  readonly #image: string;

  private constructor(url: URL, image: string) {
    this.#url = url;
    this.#image = image;
  }

  static async take(url: string, suffix = 'image'): Promise<KeyStoreImage> {
    const own = new KeyStoreImage(new URL(url), `${new URL(url).pathname.slice(1)}_${suffix}`);
    await own.#execute(own.#disconnect(), `create database "${own.#image}" template "${own.#name}"`);
    return own;
  }

  /** Puts the copy in the place of the database, as often as one likes. */
  async restore(): Promise<void> {
    await this.#execute(
      `drop database "${this.#name}" with (force)`,
      `create database "${this.#name}" template "${this.#image}"`,
    );
  }

  async drop(): Promise<void> {
    await this.#execute(`drop database if exists "${this.#image}" with (force)`);
  }

  get #name(): string {
    return this.#url.pathname.slice(1);
  }

  #disconnect(): string {
    return `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${this.#name}'`;
  }

  async #execute(...statements: readonly string[]): Promise<void> {
    const server = new URL(this.#url);
    server.pathname = '/postgres';
    const client = new Client({ connectionString: server.href });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  }
}
