import { type ProcessHandle, retryWhileAway } from '@nsbox/client'
import { isFailedPrecondition, isNotFound } from '@nsbox/errors'

/**
 * Those that users and programs send. Signals of job control stop this process: if it caught them, it would read from
 * the terminal in the background and get them again and again.
 */
const forwarded = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const

/**
 * Sends the signals that this process gets to another one, until the result is disposed of.
 * @param onError gets each failure; that the process has ended is none
 */
export function forwardSignals(target: ProcessHandle, onError: (error: unknown) => void): Disposable {
  const forward = (signal: NodeJS.Signals) => {
    retryWhileAway(() => target.kill(signal)).catch((error: unknown) => {
      if (!isNotFound(error) && !isFailedPrecondition(error)) onError(error)
    })
  }
  for (const signal of forwarded) process.on(signal, forward)
  return {
    [Symbol.dispose]: () => {
      for (const signal of forwarded) process.off(signal, forward)
    },
  }
}
