import type { ProcessIo } from '@nsbox/core/tasks'

/** Input and output from a client's options; a terminal has one output. */
export function processIo({
  stdin = '',
  stdout = '',
  stderr = '',
  terminal = false,
}: Partial<ProcessIo>): ProcessIo {
  return { stdin, stdout, stderr: terminal ? '' : stderr, terminal }
}
