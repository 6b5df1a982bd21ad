import type { AbortOptions, SnapshotReader, SnapshotUsage } from '@nsbox/core/snapshots'
import { formatBinarySize } from './format-size.ts'
import { renderTable } from './table.ts'

/** How to show usage. */
export interface UsageFormat extends AbortOptions {
  /** Sizes in bytes. */
  readonly b?: boolean
  readonly json?: boolean
}

/** What snapshots take on the disk, as a table or as JSON. @throws `not_found` */
export async function renderUsage(
  snapshotter: SnapshotReader,
  keys: readonly string[],
  { b, json, signal }: UsageFormat,
): Promise<string> {
  const usages: ({ readonly name: string } & SnapshotUsage)[] = []
  for (const name of keys) usages.push({ name, ...(await snapshotter.usage(name, { signal })) })
  if (json) return `${JSON.stringify(usages)}\n`
  const rows = usages.map(({ name, size, inodes }) => {
    return [name, b ? `${size}` : formatBinarySize(size), `${inodes}`, '']
  })
  return renderTable([['KEY', 'SIZE', 'INODES', ''], ...rows], { minWidth: 1, padding: 1 })
}
