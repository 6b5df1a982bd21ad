import { join } from 'node:path'
import { type RunningProcess, run, startProcess } from '@nsbox/testing'

const program = join(import.meta.dirname, '../bin/nsbox-server.ts')
const node = ['--conditions=@nsbox/source', '--import', import.meta.resolve('tsx'), program]

/** Nothing from outside may configure a server under test. */
const env = { NSBOX_CONFIG: '/dev/null' }

/** Starts the server program from its sources, and waits until it serves. */
export function startServerProcess(
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<RunningProcess> {
  return startProcess(process.execPath, [...node, ...args], {
    ready: /serving/,
    stopTimeout: 20_000,
    env: { ...env, ...options.env },
  })
}

/** Runs the server program where it is expected to end by itself. */
export function runServerProcess(
  args: readonly string[],
  options: { readonly env?: Record<string, string> } = {},
) {
  return run(process.execPath, [...node, ...args], { env: { ...env, ...options.env } })
}
