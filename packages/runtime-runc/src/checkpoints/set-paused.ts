import { isNotFound } from '@nsbox/errors'
import type { Runc } from '../runc/runc.ts'

/**
 * Brings a container back to what it was before something that may have left it frozen or not.
 * @returns whether it still runs
 */
export async function setPaused(runc: Runc, id: string, paused: boolean): Promise<boolean> {
  const status = await statusOf(runc, id)
  if (status === 'running' && paused) await runc.pause(id)
  if (status === 'paused' && !paused) await runc.resume(id)
  return status === 'running' || status === 'paused'
}

async function statusOf(runc: Runc, id: string): Promise<string | undefined> {
  try {
    return (await runc.state(id)).status
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
