import { expect, it } from 'vitest';
import { Membership } from '../../../pipeline/membership.ts';

it('is sure for a while after the group has confirmed it, and not before', () => {
  let now = 0;
  const membership = new Membership(() => now);
  expect(membership.isSure()).toBe(false);
  membership.confirmed();
  now = 10_000;
  expect(membership.isSure()).toBe(true);
  now = 10_001;
  expect(membership.isSure()).toBe(false);
  membership.confirmed();
  expect(membership.isSure()).toBe(true);
});
