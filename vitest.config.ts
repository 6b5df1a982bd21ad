import { defineConfig } from 'vitest/config'

const conditions = ['@nsbox/source', 'module', 'node', 'development|production']

/**
 * Tests that need a process of their own, besides those with root: they put other modules in the place of real ones.
 */
const alone = ['packages/server/src/diff/local-applier.test.ts']

const withRoot = ['packages/*/src/**/*.root.test.ts']

const integration = ['test/integration/**/*.test.ts']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['@nsbox/source', 'node'] } },
  test: {
    environment: 'node',
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is waited for comes soon on an idle machine, and later on a busy one.
    expect: { poll: { timeout: 10_000 } },
    // The machine the project is built for has two cores, and tests wait for half of their time.
    maxWorkers: 4,
    projects: [
      {
        extends: true,
        test: {
          name: 'units',
          include: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: [...withRoot, ...alone],
          // Half a second a file goes into a process of its own and into loading the same modules again.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'hosts', include: [...withRoot, ...alone], sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: integration,
          // What is tested runs in processes of its own, so that the tests can share theirs.
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
