import type { Role } from './permissions.ts';

/** Somebody who has proved who he is. */
export interface Principal {
  /** Of this key store; or `oidc:` and the subject that the identity provider calls him. */
  readonly name: string;
  readonly role: Role;
  /** Since when he can have been here, by the key store's clock; undefined where the identity provider knows. */
  readonly since?: Date;
}

/** Names of this key store's own principals: none looks like a local user's, `user:…`, nor like an identity provider's. */
export const principalName = /^[a-z][a-z0-9_.-]{0,62}$/;
/** What an identity provider may call somebody. */
export const oidcName = /^oidc:[\x21-\x7e]{1,128}$/;
