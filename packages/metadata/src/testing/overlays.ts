import type { Snapshotter } from '@nsbox/core/snapshots'
import type { SnapshotSandbox } from './snapshot-sandbox.ts'

/** The sandbox's overlay snapshotter, with some of its calls replaced. */
export function overlays(
  { overlayfs }: SnapshotSandbox,
  calls: Partial<Snapshotter>,
): Map<string, Snapshotter> {
  const proxy = new Proxy<Snapshotter>(overlayfs, {
    get(target, name) {
      if (name in calls) return calls[name as keyof Snapshotter]
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return new Map([['overlayfs', proxy]])
}
