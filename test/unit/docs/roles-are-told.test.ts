import { expect, it } from 'vitest';
import { rolePermissions } from '../../../keys/access/permissions.ts';
import { projectText } from '../../support/project-tree.ts';

it('docs/access.md tells what each role may, and what each permission lets one do', () => {
  const text = projectText('docs/access.md');
  const rows = [...text.matchAll(/^\| `(\w+)` \| (.*:.*) \|$/gm)].map(
    ([, role, may]) =>
      [role, [...may!.matchAll(/`([a-z]+(?::[a-z]+)?)`/g)].map((match) => match[1])] as const,
  );
  const told = rows.filter(([role]) => Object.hasOwn(rolePermissions, role!));
  expect(Object.fromEntries(told)).toEqual(rolePermissions);
  const permissions = text.slice(text.indexOf('| permission |'), text.indexOf('## Principals'));
  for (const permission of Object.values(rolePermissions).flat()) {
    expect(permissions).toContain(`\`${permission}\``);
  }
});
