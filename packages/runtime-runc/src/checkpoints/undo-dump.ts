import { isNotFound, undefinedIf } from '@nsbox/errors'
import type { ContainerStatus } from '../runc/container-state.ts'
import { hasEnded } from '../runc/has-ended.ts'
import { pauseContainer } from '../runc/pause-container.ts'
import type { Runc } from '../runc/runc.ts'
import { endDump } from './dump-processes.ts'
import { unlockNetwork } from './unlock-network.ts'

/** A checkpoint that has failed or was interrupted. */
export interface UndoneDump {
  readonly runc: Runc
  readonly id: string
  /** The container's first process. */
  readonly pid: number
  /** The directory of its images. */
  readonly images: string
  /** Whether the container was paused before. */
  readonly paused: boolean
}

/**
 * Makes a container run, or be paused, as before a checkpoint, after the checkpoint's processes have ended.
 * @returns whether it still runs
 */
export async function undoDump({ runc, id, pid, images, paused }: UndoneDump): Promise<boolean> {
  await endDump(images, pid)
  const status = await statusOf(runc, id)
  if (status !== 'running' && status !== 'paused') return false
  // The rest of a container that has ended must not be frozen, or it cannot be deleted.
  const wanted = paused && !hasEnded(pid) ? 'paused' : 'running'
  if (status !== wanted) await (wanted === 'paused' ? pauseContainer(runc, id) : runc.resume(id))
  await unlockNetwork(pid)
  return !hasEnded(pid)
}

async function statusOf(runc: Runc, id: string): Promise<ContainerStatus | undefined> {
  return (await undefinedIf(isNotFound, runc.state(id)))?.status
}
