import { join } from 'node:path'
import { runOrThrow } from '@nsbox/testing'
import { freshDisk, stateDirectory } from '../fresh-disk.ts'
import { hasStockClient } from '../subjects.ts'
import type { Measured, RowGroup } from './row.ts'
import { timed } from './timed.ts'

/** The whole command of who has no daemon, which containerd cannot do. */
export const alone: RowGroup = {
  rows: [
    {
      id: 'pull-alone',
      what: '`dist pull` of a small image without a daemon, the whole command',
      unit: 'ms',
      goal: { most: 600 },
    },
  ],
  async measure(subject, { corpus, disks, scale }): Promise<Measured> {
    if (hasStockClient(subject)) return {}
    await using disk = await freshDisk(disks)
    const { command } = subject.pull('', '')
    const values: number[] = []
    for (let index = 0; index < scale.starts; index++) {
      const root = join(disk.path, `root-${index}`)
      const args = ['--root', root, 'pull', '--plain-http', corpus.reference('busybox')]
      const env = { CONTAINERD_ADDRESS: undefined, XDG_RUNTIME_DIR: join(disk.path, stateDirectory) }
      values.push(await timed('pull-alone', () => runOrThrow(command, args, { env })))
    }
    return { 'pull-alone': values }
  },
}
