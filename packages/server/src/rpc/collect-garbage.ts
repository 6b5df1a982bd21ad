import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Growth in bytes since the last collection from which another one is worthwhile. */
const worthwhileBytes = 16 << 20

type Collect = (options: { type: 'major'; execution: 'async' }) => Promise<void>

/**
 * Makes a function that runs V8's collector if there may be much garbage. In an idle process V8 would not run it, since
 * it does so on allocation. It sets a flag of V8's, and so is for a program to call.
 */
export function garbageCollector(): () => Promise<void> {
  let collect: Collect | undefined
  let least = memoryInUse()
  return async () => {
    least = Math.min(least, memoryInUse())
    if (memoryInUse() < least + worthwhileBytes) return
    if (collect === undefined) {
      setFlagsFromString('--expose-gc')
      // `gc` exists only in a context made after the flag was set.
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
