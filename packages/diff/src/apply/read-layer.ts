import { readSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { abortable } from '@nsbox/concurrency'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import { GrowingFileView, type GrowingHandle, type GrowingState } from './growing-file.ts'

/** The file with the bytes of a layer. */
export interface LayerFile {
  readonly path: string
  /** Bytes that the layer must have. */
  readonly size: number
  /** `GrowingFile.handle()` of a file that is still being written. */
  readonly growing?: GrowingHandle | undefined
}

/** A layer's open file. */
export interface OpenLayer extends AsyncDisposable {
  /** The file's descriptor, at offset 0, if the file has all its bytes already. */
  readonly whole: number | undefined
  /**
   * Reads the file to its end, following it while it grows. A chunk is valid until the next one is requested.
   *
   * @throws `data_loss` if the file has another size, as soon as that is known; `aborted` if it was started again or
   * will never be complete
   */
  read(signal?: AbortSignal): AsyncGenerator<Buffer>
}

const chunkSize = 256 * 1024
// Each wait is bounded, so that a lost wake-up costs a second and not the layer.
const checkInterval = 1000

/** @throws as `OpenLayer.read` for errors that are known at once; `not_found` */
export async function openLayer(file: LayerFile): Promise<OpenLayer> {
  const view = file.growing === undefined ? undefined : new GrowingFileView(file.growing)
  const handle = await open(file.path, 'r').catch((error: unknown) => {
    throw fromSystemError(error, 'opening a layer')
  })
  try {
    const { size } = await handle.stat()
    const arrived = view?.read()
    const isWhole =
      arrived === undefined ||
      (arrived.state === 'complete' && arrived.generation === file.growing!.generation)
    if (isWhole && size !== file.size) throw wrongSize(size, file.size)
    return {
      whole: isWhole ? handle.fd : undefined,
      read: (signal) => read(handle, file, isWhole ? undefined : view, signal),
      [Symbol.asyncDispose]: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function* read(
  handle: FileHandle,
  file: LayerFile,
  view: GrowingFileView | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const generation = file.growing?.generation
  const whole = { state: 'complete', offset: file.size, generation } as const
  // One buffer for all chunks: allocating one for each would keep V8's collector busy.
  const buffer = Buffer.allocUnsafeSlow(chunkSize)
  let offset = 0
  for (;;) {
    signal?.throwIfAborted()
    const seen = view?.read() ?? whole
    if (seen.generation !== generation) throw new NsboxError('aborted', 'the layer is being downloaded anew')
    if (seen.offset > file.size) throw wrongSize(seen.offset, file.size)
    if (offset < seen.offset) {
      // Synchronous: the file was just downloaded and is in the page cache, and an asynchronous read would cost more.
      const bytesRead = readSync(handle.fd, buffer, 0, Math.min(chunkSize, seen.offset - offset), offset)
      // The file may have been started again meanwhile.
      if (view !== undefined && view.read().generation !== generation) continue
      if (bytesRead === 0) throw wrongSize(offset, file.size)
      offset += bytesRead
      yield buffer.subarray(0, bytesRead)
    } else if (seen.state === 'failed')
      throw new NsboxError('aborted', 'the download of the layer has failed')
    else if (seen.state === 'complete') {
      if (offset !== file.size) throw wrongSize(offset, file.size)
      return
    } else await change(view!, seen, signal)
  }
}

async function change(
  view: GrowingFileView,
  seen: GrowingState,
  signal: AbortSignal | undefined,
): Promise<void> {
  const changed = view.change(() => {
    const now = view.read()
    return now.offset !== seen.offset || now.state !== seen.state || now.generation !== seen.generation
  }, checkInterval)
  await abortable(changed, { signal })
}

function wrongSize(actual: number, expected: number): NsboxError {
  return new NsboxError('data_loss', `the layer has ${actual} bytes instead of ${expected}`, {
    details: { actual, expected },
  })
}
