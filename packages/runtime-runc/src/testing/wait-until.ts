import { setTimeout as delay } from 'node:timers/promises'

/** Waits until something holds, looking every 10 ms; fails after 10 s. */
export async function waitUntil(
  holds: () => boolean | Promise<boolean>,
  what = 'the condition',
): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (await holds()) return
    await delay(10)
  }
  throw new Error(`${what} did not come true within 10 s`)
}
