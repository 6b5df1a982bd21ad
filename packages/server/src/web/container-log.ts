import { constants, type FSWatcher, watch } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { deferred, onAbort } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import { fromSystemError, NsboxError, quoted } from '@nsbox/errors'
import { outputTarget } from '@nsbox/supervisor'
import { type NamedContainer, ownClient } from './container-query.ts'

/** Bytes of a log that are shown before what is added to it. */
const lastBytes = 256 << 10

/** Bytes that are read at once. */
const chunkBytes = 64 << 10

/** The log of a task, as a file that stays open. */
export interface ContainerLog extends AsyncDisposable {
  /** Its last 256 KiB from the beginning of a line, and then what is added, until the signal aborts. */
  follow(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined>
}

/**
 * Opens the file that the output of a container's task goes to.
 *
 * @throws `not_found` if there is no task, or its output goes to no file; system errors
 */
export async function openContainerLog(
  address: string,
  { namespace, id }: NamedContainer,
  { signal }: AbortOptions,
): Promise<ContainerLog> {
  await using client = ownClient(address, namespace)
  const { stdout } = await client.tasks.get(id, { signal })
  const target = outputTarget(stdout)
  if (target.kind !== 'file' && target.kind !== 'path') throw noFile(id, target.kind)
  return await openLogFile(target.path, id)
}

/** Opens a regular file as a log, without following a link. `id` names the container in errors. */
export async function openLogFile(path: string, id: string): Promise<ContainerLog> {
  let file: FileHandle
  try {
    // A FIFO must not be waited for.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    throw fromSystemError(error, `log of container ${quoted(id)}`)
  }
  try {
    if (!(await file.stat()).isFile()) throw noFile(id, 'path')
  } catch (error) {
    await file.close()
    throw error
  }
  return { follow: (signal) => follow(file, signal), [Symbol.asyncDispose]: () => file.close() }
}

async function* follow(file: FileHandle, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  using changes = new Changes(file)
  const { size } = await file.stat()
  let position = Math.max(0, size - lastBytes)
  let isCut = position > 0
  while (!signal.aborted) {
    const bytes = await readAt(file, position)
    position += bytes.length
    // What follows the first end of a line is whole; a piece without one is left out.
    const part = isCut ? bytes.subarray(bytes.indexOf('\n') + 1 || bytes.length) : bytes
    isCut &&= part.length === 0
    if (part.length > 0) yield part
    if (bytes.length > 0) continue
    if (!(await changes.next(signal))) return
    // A file that has become shorter begins anew.
    if ((await file.stat()).size < position) position = 0
  }
}

async function readAt(file: FileHandle, position: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(chunkBytes), position })
  return buffer.subarray(0, bytesRead)
}

/** Changes of an open file, told by the kernel (inotify(7)), so that nothing is polled. */
class Changes implements Disposable {
  readonly #watcher: FSWatcher
  #hasChanged = false
  #wake: (() => void) | undefined

  constructor({ fd }: FileHandle) {
    // The link leads to the file that is open, whatever its name leads to by now.
    this.#watcher = watch(`/proc/self/fd/${fd}`, () => {
      this.#hasChanged = true
      this.#wake?.()
    })
    this.#watcher.on('error', () => this.#wake?.())
  }

  /** Waits for a change since the last one. @returns false once the signal has aborted */
  async next(signal: AbortSignal): Promise<boolean> {
    if (!this.#hasChanged) {
      const { promise, resolve } = deferred<void>()
      this.#wake = resolve
      using _aborting = onAbort(signal, resolve)
      await promise
      this.#wake = undefined
    }
    this.#hasChanged = false
    return !signal.aborted
  }

  [Symbol.dispose](): void {
    this.#watcher.close()
  }
}

function noFile(id: string, kind: string): NsboxError {
  const where =
    { logger: 'to a program', nothing: 'nowhere', path: 'to a FIFO or a device' }[kind] ?? 'elsewhere'
  return new NsboxError(
    'not_found',
    `log of container ${quoted(id)}: its output goes ${where}, not to a file (ctr run --log-uri file:///…)`,
  )
}
