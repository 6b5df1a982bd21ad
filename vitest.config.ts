import { defineConfig } from 'vitest/config'

const conditions = ['@nsbox/source', 'module', 'node', 'development|production']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['@nsbox/source', 'node'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/integration/**/*.test.ts', 'scripts/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is waited for comes soon on an idle machine, and later on a busy one.
    expect: { poll: { timeout: 10_000 } },
    // The machine the project is built for has two cores; tests that start daemons would only queue up.
    maxWorkers: 2,
  },
})
