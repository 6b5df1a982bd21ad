import { isNotFound, undefinedIf } from '@nsbox/errors'
import type { ContainerStatus } from '../runc/container-state.ts'
import { hasEnded } from '../runc/has-ended.ts'
import { pauseContainer } from '../runc/pause-container.ts'
import type { Runc } from '../runc/runc.ts'
import { endDump } from './dump-processes.ts'
import { unlockNetwork } from './unlock-network.ts'

/** A checkpoint that has failed, or was interrupted. */
export interface UndoneDump {
  readonly runc: Runc
  readonly id: string
  /** Its first process. */
  readonly pid: number
  /** Where its images are written. */
  readonly images: string
  /** Whether the container was paused before. */
  readonly paused: boolean
}

/**
 * Makes a container what it was before a checkpoint, after waiting for the checkpoint's processes.
 * @returns whether it still runs
 */
export async function undoDump({ runc, id, pid, images, paused }: UndoneDump): Promise<boolean> {
  await endDump(images, pid)
  const status = await statusOf(runc, id)
  if (status !== 'running' && status !== 'paused') return false
  // What is left of a container that has ended must not be frozen, or it cannot be deleted.
  const wanted = paused && !hasEnded(pid) ? 'paused' : 'running'
  if (status !== wanted) await (wanted === 'paused' ? pauseContainer(runc, id) : runc.resume(id))
  await unlockNetwork(pid)
  return !hasEnded(pid)
}

async function statusOf(runc: Runc, id: string): Promise<ContainerStatus | undefined> {
  return (await undefinedIf(isNotFound, runc.state(id)))?.status
}
