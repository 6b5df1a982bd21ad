import { join } from 'node:path'
import { configDefaults, defineConfig } from 'vitest/config'
import { LongestFirst } from './scripts/longest-first.ts'

// Without `module`, which is for bundlers: Node, which gets these too, does not find what such modules import.
const conditions = ['@nsbox/source', 'node', 'development|production']

/** Tests that need a process of their own: what they change of it cannot be changed back. */
const alone = [
  // Other modules in the place of real ones.
  'packages/diff/src/apply/hostile-file-system.root.test.ts',
  'packages/server/src/diff/local-applier.test.ts',
  // A process that becomes the parent of what other tests' programs leave.
  'packages/runtime-runc/src/runc/supervision-chain.root.test.ts',
  // Counts of what this process has: descriptors, handles, threads, memory.
  'packages/client/src/calls.root.test.ts',
  'packages/client/src/streaming.root.test.ts',
  'packages/diff/src/apply/hostile-names.root.test.ts',
  'packages/diff/src/extract/open-descriptors.root.test.ts',
  'packages/diff/src/pool/layer-workers.root.test.ts',
  'packages/mount/src/linux/mount.root.test.ts',
  'packages/trees/src/copy/copy-tree.root.test.ts',
  'packages/trees/src/small-or-thread.root.test.ts',
  'packages/trees/src/walk/remove-entry.root.test.ts',
]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['@nsbox/source', 'node'] } },
  test: {
    environment: 'node',
    setupFiles: [join(import.meta.dirname, 'scripts/byte-equality.ts')],
    pool: 'forks',
    testTimeout: 90_000,
    hookTimeout: 120_000,
    // What is waited for comes soon on an idle machine, and later on a busy one.
    expect: { poll: { timeout: 30_000 } },
    // The machine the project is built for has two cores, and tests wait for half of their time.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts', 'test/integration/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...alone],
          // A second of processor a file goes into a process of its own and into loading the same modules again.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
  },
})
