import { resolve } from 'node:path'
import { print } from '../print.ts'
import { requireId } from '../require-id.ts'
import type { Session } from '../session.ts'

/** What `tasks checkpoint` may be told. */
export interface CheckpointFlags {
  readonly exit?: boolean
  readonly imagePath?: string
  readonly workPath?: string
}

/** `tasks checkpoint` */
export async function checkpointTask(
  { client, signal }: Session,
  flags: CheckpointFlags,
  container: string | undefined,
): Promise<void> {
  const id = requireId(container)
  const { image, snapshotKey } = await client.containers.get(id, { signal })
  const { exit } = flags
  const workPath = flags.workPath && resolve(flags.workPath)
  if (flags.imagePath) {
    await using task = await client.container(id).task({ signal })
    await task.checkpoint({ exit, workPath, imagePath: resolve(flags.imagePath), signal })
    return
  }
  const name = checkpointName(id, new Date())
  const parts = { image: image !== '', rw: snapshotKey !== '' }
  await client.container(id).checkpoint(name, { ...parts, exit, workPath, signal })
  print(name)
}

/** As stock `ctr` names it, such as `containerd.io/checkpoint/id:11-27-2026-18:30:05`, by the clock on the wall. */
function checkpointName(id: string, now: Date): string {
  const two = (number: number) => String(number).padStart(2, '0')
  const date = [two(now.getMonth() + 1), two(now.getDate()), now.getFullYear()].join('-')
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(':')
  return `containerd.io/checkpoint/${id}:${date}-${time}`
}
