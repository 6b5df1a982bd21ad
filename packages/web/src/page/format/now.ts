import { type Signal, signal } from '@preact/signals'

/** The time, in milliseconds, renewed every ten seconds while the page is visible. */
export const now: Signal<number> = signal(Date.now())

const renew = () => {
  if (document.visibilityState === 'visible') now.value = Date.now()
}
setInterval(renew, 10_000)
document.addEventListener('visibilitychange', renew)
