import { userInfo } from 'node:os';

/** Who acts, where nothing else says it: this machine's user; by number where it has no name for it, as in many containers. */
export function localPrincipal(): string {
  try {
    return `user:${userInfo().username}`;
  } catch {
    return `uid:${process.getuid?.() ?? 'unknown'}`;
  }
}

let acting: string | undefined;

/** Has the audit name this principal from now on, in this process. Of a process that serves several, each call names its own. */
export function actAs(principal: string): void {
  acting = principal;
}

/** Whom the audit names: who showed a token, else this machine's user. */
export function actingPrincipal(): string {
  return acting ?? localPrincipal();
}
