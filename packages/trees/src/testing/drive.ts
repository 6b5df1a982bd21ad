import { endWalk, type Walk } from '../walk/walk.ts'

/**
 * Drives a walk on this thread. @param after called after each step with its number and result; its error ends the walk
 */
export function drive<T>(walk: Walk<T>, after: (count: number, result: number) => void): T {
  let result = 0
  for (let count = 1; ; count++) {
    const step = walk.next(result)
    if (step.done === true) return step.value
    result = step.value?.now() ?? 0
    try {
      after(count, result)
    } catch (error) {
      endWalk(walk, result)
      throw error
    }
  }
}
