import { isNsboxError } from '@nsbox/errors'
import { type RuntimeCommand, runtimeError } from './runtime-error.ts'
import { lastErrorOf, lastLine } from './runtime-log.ts'

/**
 * The error of a failed launch. If the program ran and failed, shown by the detail `stderr`, its message is from its
 * log, or else from standard error, or says how it ended (detail `exitCode`, absent after a signal). Any other error is
 * returned as it is.
 *
 * @param log the file that the launch was told to write its errors to
 */
export async function launchError(command: RuntimeCommand, log: string, error: unknown): Promise<unknown> {
  if (!isNsboxError(error) || !('stderr' in error.details)) return error
  const { exitCode, stderr } = error.details
  const words = (await lastErrorOf(log)) ?? lastLine(String(stderr ?? ''))
  const end = exitCode === undefined ? 'ended by a signal' : `exit status ${exitCode}`
  return runtimeError(command, words ?? end, error)
}
