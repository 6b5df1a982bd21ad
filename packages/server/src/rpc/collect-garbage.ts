import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** From how many bytes more than after the last time on it is worth the time that it takes. */
const worthwhileBytes = 16 << 20

type Collect = (options: { type: 'major'; execution: 'async' }) => Promise<void>

/**
 * Makes what has V8 collect its garbage where there may be much: in a process that has nothing to do it would stay, since
 * V8 collects when it is asked for more. It sets a flag of V8's, and so is for a program to call.
 */
export function garbageCollector(): () => Promise<void> {
  let collect: Collect | undefined
  let least = memoryInUse()
  return async () => {
    least = Math.min(least, memoryInUse())
    if (memoryInUse() < least + worthwhileBytes) return
    if (collect === undefined) {
      setFlagsFromString('--expose-gc')
      // Of a context that is made after the flag was set.
      collect = runInNewContext('gc') as Collect
    }
    await collect({ type: 'major', execution: 'async' })
    least = memoryInUse()
  }
}

function memoryInUse(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
