import type { MountInfo } from '../mount-info.ts'
import { mountsUnder } from './mount-table.ts'
import { unmountAt } from './unmount-at.ts'

/**
 * Unmounts everything at a place and below it, as far as possible.
 *
 * @returns the error that stopped it, or undefined if nothing is left
 */
export async function unmountTree(place: string, flags: number): Promise<unknown> {
  for (;;) {
    const infos = await mountsUnder(place)
    if (infos.length === 0) return undefined
    let failure: unknown
    let progress = false
    for (const info of innermostFirst(infos)) {
      try {
        await unmountAt(info.mountPointBytes ?? Buffer.from(info.mountPoint), flags)
        progress = true
      } catch (error) {
        failure ??= error
      }
    }
    // A mount can hide another one. That can only be unmounted once the first is gone.
    if (!progress) return failure
  }
}

/** Orders mounts so that each comes before the one that it is on. */
export function innermostFirst(infos: readonly MountInfo[]): MountInfo[] {
  const byId = new Map(infos.map((info) => [info.id, info]))
  const depth = (info: MountInfo): number => {
    let depth = 0
    // A root can be its own parent.
    for (let at = byId.get(info.parentId); at && depth < infos.length; at = byId.get(at.parentId)) depth++
    return depth
  }
  const depths = new Map(infos.map((info) => [info, depth(info)]))
  return [...infos].sort((a, b) => depths.get(b)! - depths.get(a)! || b.id - a.id)
}
