import { expect, test } from 'vitest'
import { snapshotterFromEnvironment } from './snapshotter-name.ts'

test('the environment names the snapshotter, else it is overlayfs', () => {
  expect(snapshotterFromEnvironment({ CONTAINERD_SNAPSHOTTER: 'native' })).toBe('native')
  expect(snapshotterFromEnvironment({ CONTAINERD_SNAPSHOTTER: '' })).toBe('overlayfs')
  expect(snapshotterFromEnvironment({})).toBe('overlayfs')
})
