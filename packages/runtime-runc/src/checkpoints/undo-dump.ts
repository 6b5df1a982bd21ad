import { isNotFound } from '@nsbox/errors'
import type { ContainerState } from '../runc/container-state.ts'
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
 * Lets a container be what it was before a checkpoint, once nobody works at it any more.
 * @returns whether it still runs
 */
export async function undoDump({ runc, id, pid, images, paused }: UndoneDump): Promise<boolean> {
  await endDump(images, pid)
  const container = await stateOf(runc, id)
  if (container?.status !== 'running' && container?.status !== 'paused') return false
  await unlockNetwork(pid)
  if (paused && container.status === 'running') await runc.pause(id)
  if (!paused && container.status === 'paused') await runc.resume(id)
  return true
}

async function stateOf(runc: Runc, id: string): Promise<ContainerState | undefined> {
  try {
    return await runc.state(id)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
