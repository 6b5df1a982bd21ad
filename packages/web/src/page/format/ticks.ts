import { type Signal, signal } from '@preact/signals'

/** A count that grows at each interval while something follows it and the page is visible, and when it gets visible. */
function ticks(interval: number): Signal<number> {
  let timer: ReturnType<typeof setInterval> | undefined
  const tick = () => {
    if (document.visibilityState === 'visible') count.value++
  }
  const count = signal(0, {
    watched() {
      timer = setInterval(tick, interval)
      document.addEventListener('visibilitychange', tick)
    },
    unwatched() {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', tick)
    },
  })
  return count
}

export const everySecond: Signal<number> = ticks(1_000)
export const everyMinute: Signal<number> = ticks(60_000)
