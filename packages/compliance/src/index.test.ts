import { expect, it } from 'vitest'

it.each([
  ['containers', ['containerStoreSuite']],
  ['content', ['contentStoreSuite']],
  ['diff', ['differSuite']],
  ['events', ['eventBusSuite']],
  ['images', ['imageStoreSuite']],
  ['leases', ['leaseStoreSuite']],
  ['namespaces', ['namespaceStoreSuite']],
  ['snapshots', ['snapshotterSuite']],
  [
    'tasks',
    [
      'FifoReader',
      'containerSpec',
      'makeFifos',
      'openFifoWriter',
      'processSpec',
      'tasksOfRuntime',
      'tasksSuite',
    ],
  ],
  ['transfer', ['transferSuite']],
])('%s exports exactly this', async (name, names) => {
  expect(Object.keys(await import(`./${name}/index.ts`)).sort()).toEqual(names)
})
