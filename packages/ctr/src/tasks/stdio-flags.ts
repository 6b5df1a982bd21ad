import type { StdioOptions } from '@nsbox/client'
import { NsboxError } from '@nsbox/errors'
import type { Command } from 'commander'

/** The options that say where a process reads from and writes to. */
export interface StdioFlags {
  readonly nullIo?: boolean
  readonly logUri?: string
  readonly fifoDir?: string
}

/** Adds the options that say where a process reads from and writes to. */
export function addStdioFlags(command: Command, { nullIo }: { readonly nullIo: boolean }): Command {
  if (nullIo) command.option('--null-io', 'give it no input and throw its output away')
  return command
    .option('--log-uri <uri>', 'have the server write its output to file:///, binary:/// or binary-v2:///')
    .option('--fifo-dir <directory>', 'directory for FIFOs')
}

/** What the options come to. @throws `invalid_argument` for two that exclude each other */
export function stdioOf({ nullIo, logUri, fifoDir }: StdioFlags): StdioOptions {
  if (nullIo && logUri !== undefined) {
    throw new NsboxError('invalid_argument', '--null-io and --log-uri exclude each other')
  }
  if (nullIo) return { output: 'ignore' }
  if (logUri !== undefined) return { output: logUri }
  return { stdin: true, fifoDirectory: fifoDir }
}
