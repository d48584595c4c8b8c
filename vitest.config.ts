import { defineConfig } from 'vitest/config';

const serversMs = 10 * 60 * 1000;

/** Tests that share real servers; each kind waits for the one before it. */
const withServers = {
  environment: 'node',
  globalSetup: 'test/support/shared-stack.ts',
  testTimeout: serversMs,
  hookTimeout: serversMs,
  teardownTimeout: 60_000,
} as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // Property tests take what a busy machine makes them take.
          testTimeout: 120_000,
          include: ['test/unit/**/*.test.ts'],
          environment: 'node',
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...withServers,
          name: 'stack',
          include: ['test/stack/**/*.stack.test.ts'],
          // Each file has databases, topics and names of its own, and mostly waits.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...withServers,
          name: 'fault',
          include: ['test/fault/**/*.fault.test.ts'],
          // They kill servers that all share.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
