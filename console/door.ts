import { authenticate } from '../keys/access/authenticate.ts';
import { refused } from '../keys/access/access-error.ts';
import { may, type Permission } from '../keys/access/permissions.ts';
import type { Principal } from '../keys/access/principal.ts';
import { RefusalBound } from '../keys/access/refusal-bound.ts';
import { writeRefusal } from '../keys/access/require-permission.ts';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import type { Answer } from './http-server.ts';

/** What the audit is held against outside of the key store. */
export interface AuditAnchor {
  /** Fails for an older state of the key store, in which persons who were erased have their keys, and principals who were kept out are let in. */
  check(): Promise<unknown>;
  /** Notes how far the audit has come. */
  note(): Promise<unknown>;
}

const noteEveryMs = 60_000;

/** Lets in who has a valid token, and has the audit tell who was refused what. Nobody is let in without one, where access is open neither. */
export class Door {
  readonly #config: Config;
  readonly #anchor: AuditAnchor;
  /** One who knocks without a token takes no room from those who have one. */
  readonly #strangers = new RefusalBound();
  readonly #known = new RefusalBound();
  #checked = false;
  #notedMs = -Infinity;

  constructor(config: Config, anchor: AuditAnchor) {
    this.#config = config;
    this.#anchor = anchor;
  }

  /** What the work gives for whoever shows the token; 401 for no valid one. `what` is asked for, as the audit calls it. */
  async admit(
    token: string | undefined,
    what: Permission,
    work: (principal: Principal) => Promise<Answer>,
  ): Promise<Answer> {
    if (!this.#checked) await this.#anchor.check();
    this.#checked = true;
    let principal: Principal;
    try {
      principal = await authenticate(this.#config, token ?? '');
    } catch (error) {
      await this.#tell(error, what);
      if (!isRefusal(error)) throw error;
      const { code, message, fix } = error;
      return [401, { error: { code, message, fix } }];
    }
    try {
      return await work(principal);
    } catch (error) {
      await this.#tell(error, what);
      throw error;
    }
  }

  /** The same for whoever's role may do it; ACCESS_REFUSED for others. */
  permit(
    token: string | undefined,
    permission: Permission,
    work: (principal: Principal) => Promise<Answer>,
  ): Promise<Answer> {
    return this.admit(token, permission, async (principal) => {
      if (!may(principal.role, permission)) throw refused('role', principal.name);
      return work(principal);
    });
  }

  async #tell(error: unknown, what: Permission): Promise<void> {
    if (!isRefusal(error)) return;
    const bound = error.detail['principal'] === 'unknown' ? this.#strangers : this.#known;
    const entry = bound.next();
    if (!entry) return;
    await writeRefusal(this.#config, error, what, entry.leftOut > 0 ? { leftOut: entry.leftOut } : {});
    await this.note();
  }

  /** Once a minute: where Kafka is away what was written stands all the same, and is noted later. */
  async note(): Promise<void> {
    const now = performance.now();
    if (now - this.#notedMs < noteEveryMs) return;
    this.#notedMs = now;
    await this.#anchor.note().catch((error: unknown) => {
      if (!(error instanceof LetheError)) throw error;
    });
  }
}

function isRefusal(error: unknown): error is LetheError {
  return error instanceof LetheError && error.code === 'ACCESS_REFUSED';
}
