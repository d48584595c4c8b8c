/**
 * What a role may do: a closed map, so that nobody has a right by accident. Who manages access may not decrypt, and who decrypts may not
 * manage access; nobody approves what he asked for himself.
 */
export const rolePermissions = {
  engineer: ['keys:manage', 'erase:read', 'audit:read', 'glass:ask', 'glass:approve'],
  compliance: [
    'erase:request',
    'erase:approve',
    'erase:read',
    'export:subject',
    'notice:acknowledge',
    'payload:read',
    'access:manage',
    'audit:read',
    'glass:ask',
    'glass:approve',
  ],
  consumer: ['decrypt', 'notice:acknowledge', 'glass:ask'],
  auditor: ['audit:read', 'erase:read'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Role = keyof typeof rolePermissions;
/** The last is no role's: it takes broken glass. */
export type Permission = (typeof rolePermissions)[Role][number] | 'subject:readmit';

export const roles = Object.keys(rolePermissions) as readonly Role[];

/** Whether it is a role's name. */
export function isRole(name: unknown): name is Role {
  return typeof name === 'string' && Object.hasOwn(rolePermissions, name);
}

/** Whether the role may do it. */
export function may(role: Role, permission: Permission): boolean {
  return (rolePermissions[role] as readonly Permission[]).includes(permission);
}
