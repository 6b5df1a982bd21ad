import { setImmediate as nextTurn } from 'node:timers/promises'

/** Counts turns of the event loop until something has ended. @throws what it throws */
export async function turnsOf(body: Promise<unknown>): Promise<number> {
  let ended = false
  const ending = body.finally(() => {
    ended = true
  })
  let turns = 0
  for (; !ended; turns++) await nextTurn()
  await ending
  return turns
}
