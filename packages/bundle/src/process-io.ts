import type { ProcessIo } from '@nsbox/core/tasks'

/** The input and output that a client asks for; a terminal has one output. */
export function processIo({
  stdin = '',
  stdout = '',
  stderr = '',
  terminal = false,
}: Partial<ProcessIo>): ProcessIo {
  return { stdin, stdout, stderr: terminal ? '' : stderr, terminal }
}
