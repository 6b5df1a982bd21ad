import type { Snapshotter } from '@nsbox/core/snapshots'
import { expect, test } from 'vitest'
import { remappedSnapshot } from './remapped-snapshot.ts'

test('a copy that exists is held before it is looked for, so that no collection comes in between', async () => {
  const calls: string[] = []
  const snapshotter = {
    async stat(name: string) {
      calls.push(`stat ${name}`)
      return { kind: 'committed' }
    },
  } as unknown as Snapshotter
  const hold = async (name: string) => void calls.push(`hold ${name}`)
  const mapping = {
    uid: { containerID: 0, hostID: 1000, size: 1 },
    gid: { containerID: 0, hostID: 2000, size: 1 },
  }
  const { signal } = new AbortController()
  expect(await remappedSnapshot(snapshotter, 'base', mapping, { key: 'k', hold, signal })).toBe(
    'base-1000-2000',
  )
  expect(calls).toEqual(['hold base-1000-2000', 'stat base-1000-2000'])
})
