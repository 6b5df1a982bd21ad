import { isNsboxError } from '@nsbox/errors'
import { type RuntimeCommand, runtimeError } from './runtime-error.ts'
import { lastErrorOf, lastLine } from './runtime-log.ts'

/**
 * What a failed launch means. If the program ran and failed, which an error with the detail `stderr` says, that is what
 * it wrote to its log, or else to standard error, or how it ended (detail `exitCode`, absent after a signal). Any other
 * error is returned as it is.
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
