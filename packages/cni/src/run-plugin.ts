import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { onAbort } from '@nsbox/concurrency'
import { NsboxError } from '@nsbox/errors'
import { type JsonObject, parseObject } from './json-object.ts'
import { refuseIfOpenToAll } from './network-list.ts'

/** A call of a plugin. */
export interface PluginCall {
  readonly command: 'ADD' | 'CHECK' | 'DEL'
  /** Name of the program. */
  readonly type: string
  /** The configuration to pass to the plugin. */
  readonly configuration: JsonObject
  readonly containerId: string
  /** Path of the network namespace; may be absent at DEL. */
  readonly netns?: string | undefined
  /** Name of the interface in the namespace. */
  readonly ifName: string
}

/** How plugins are run. */
export interface RunPluginOptions {
  /** Directories of plugins, the first one that has it counts; plugins look there for others. */
  readonly directories: readonly string[]
  /** Milliseconds. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

/** Most bytes of a result, and of standard error. */
const maxResult = 1024 * 1024
const maxStderr = 64 * 1024

/**
 * Runs a plugin (CNI specification, section 2) in a process group of its own. The whole group is killed after the
 * time-out, after too much output and by the signal.
 *
 * @returns what it printed; undefined for nothing, which only ADD may not do
 * @throws `not_found` without such a program; `unknown` with the plugin's message; `deadline_exceeded`;
 * `resource_exhausted` for too much output
 */
export async function runPlugin(
  call: PluginCall,
  options: RunPluginOptions,
): Promise<JsonObject | undefined> {
  const { command, type, configuration, containerId, netns, ifName } = call
  const { directories, timeout, signal } = options
  signal?.throwIfAborted()
  const program = await findPlugin(type, directories)
  const context = `CNI plugin ${type} ${command}`
  const child = spawn(program, [], {
    detached: true,
    stdio: 'pipe',
    env: {
      ...process.env,
      CNI_COMMAND: command,
      CNI_CONTAINERID: containerId,
      CNI_NETNS: netns ?? '',
      CNI_IFNAME: ifName,
      CNI_ARGS: '',
      CNI_PATH: directories.join(':'),
    },
  })
  let failure: unknown
  const end = (why: unknown) => {
    failure ??= why
    if (child.pid !== undefined) killGroup(child.pid)
    child.stdout.destroy()
    child.stderr.destroy()
  }
  using _aborting = onAbort(signal, () => end(signal?.reason))
  const timer = setTimeout(
    () => end(new NsboxError('deadline_exceeded', `${context}: not done after ${timeout} ms`)),
    timeout,
  )
  const tooMuch = () => end(new NsboxError('resource_exhausted', `${context}: too much output`))
  const stdout = collect(child.stdout, maxResult, tooMuch)
  const stderr = collect(child.stderr, maxStderr, tooMuch)
  // A plugin may end without reading its input.
  child.stdin.on('error', () => undefined)
  child.stdin.end(JSON.stringify(configuration))
  try {
    const [code, killedBy] = await once(child, 'close').catch((error: unknown) => {
      throw failure ?? error
    })
    if (failure !== undefined) throw failure
    if (code === 0) return stdout() === '' ? undefined : parseObject(stdout(), context)
    throw new NsboxError('unknown', `${context}: ${complaint(stdout(), stderr(), killedBy ?? code)}`)
  } finally {
    clearTimeout(timer)
  }
}

async function findPlugin(type: string, directories: readonly string[]): Promise<string> {
  for (const directory of directories) {
    const path = join(directory, type)
    try {
      await access(path, constants.X_OK)
    } catch {
      continue
    }
    for (const checked of [dirname(path), path]) await refuseIfOpenToAll(checked)
    return path
  }
  throw new NsboxError('not_found', `CNI plugin ${type} in ${directories.join(', ')}`)
}

/** The error of a failed plugin: in the form of the specification, or else its output. */
function complaint(stdout: string, stderr: string, how: string | number): string {
  try {
    const { code, msg, details } = parseObject(stdout, 'error')
    if (typeof msg === 'string') {
      const more = typeof details === 'string' && details !== '' ? `: ${details}` : ''
      return `${msg}${more} (code ${code})`
    }
  } catch {
    // Its output is not in the form of the specification.
  }
  const said = [stderr, stdout].map((text) => text.trim()).filter((text) => text !== '')
  return [`ended with ${how}`, ...said].join(': ')
}

function collect(stream: Readable, limit: number, tooMuch: () => void): () => string {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.byteLength
    if (size > limit) tooMuch()
    else chunks.push(chunk)
  })
  return () => Buffer.concat(chunks).toString()
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // The whole group has ended.
  }
}
