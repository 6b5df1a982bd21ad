import { constants } from 'node:os'
import { NsboxError } from '@nsbox/errors'

/** Signals that end a command. */
const ending = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** What ends a command early. A signal makes the exit status what a shell reports for it: 130 after an interrupt. */
export function commandSignal(timeout: number | undefined): {
  signal: AbortSignal
  leaveSignals: () => void
  release: () => void
} {
  const interrupted = new AbortController()
  const onInterrupt = (signal: NodeJS.Signals) => {
    process.exitCode = 128 + constants.signals[signal]
    interrupted.abort(new NsboxError('canceled', `interrupted by ${signal}`))
  }
  // Nobody reads the output any more.
  const onOutputFailure = () => interrupted.abort()
  for (const name of ending) process.once(name, onInterrupt)
  process.stdout.once('error', onOutputFailure)
  const signal =
    timeout === undefined || timeout === 0
      ? interrupted.signal
      : AbortSignal.any([interrupted.signal, AbortSignal.timeout(timeout)])
  const leaveSignals = () => {
    for (const name of ending) process.off(name, onInterrupt)
  }
  return {
    signal,
    leaveSignals,
    release: () => {
      leaveSignals()
      process.stdout.off('error', onOutputFailure)
    },
  }
}
