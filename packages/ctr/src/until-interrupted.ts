import { isCanceled } from '@nsbox/errors'

/** Does what goes on until somebody interrupts it, which is no error then. */
export async function untilInterrupted(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!signal.aborted || !isCanceled(signal.reason)) throw error
  }
}
