import type { SnapshotInfo } from '@nsbox/core/snapshots'
import { printable } from '@nsbox/errors'
import { Command } from 'commander'
import { chosenSnapshotter } from '../chosen-snapshotter.ts'
import { withSession } from '../command-action.ts'
import { printText } from '../print.ts'

/** `snapshots tree` */
export function snapshotsTreeCommand(): Command {
  return new Command('tree').description('show which snapshots are based on which').action(
    withSession(async (session) => {
      const { snapshotter } = await chosenSnapshotter(session)
      const snapshots: SnapshotInfo[] = []
      for await (const info of snapshotter.list([], session)) snapshots.push(info)
      printText(renderTree(snapshots))
    }),
  )
}

/** A line for each snapshot, below its parent's and indented. One whose parent is not among them is a root. */
export function renderTree(snapshots: readonly Pick<SnapshotInfo, 'name' | 'parent'>[]): string {
  const names = new Set(snapshots.map(({ name }) => name))
  const children = new Map<string | undefined, string[]>()
  for (const { name, parent } of snapshots) {
    const key = parent !== undefined && names.has(parent) ? parent : undefined
    const siblings = children.get(key)
    if (siblings) siblings.push(name)
    else children.set(key, [name])
  }
  const lines: string[] = []
  // A stack of its own: chains may be deep.
  const pending = (children.get(undefined) ?? []).map((name) => ({ name, depth: 0 })).reverse()
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { name, depth } = next
    lines.push(depth === 0 ? ` ${printable(name)}\n` : `${'  '.repeat(depth)}\\_ ${printable(name)}\n`)
    for (const child of [...(children.get(name) ?? [])].reverse()) {
      pending.push({ name: child, depth: depth + 1 })
    }
  }
  return lines.join('')
}
