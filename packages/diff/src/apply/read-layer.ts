import { open } from 'node:fs/promises'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import { GrowingFileView, type GrowingHandle } from './growing-file.ts'

/** Where the bytes of a layer are. */
export interface LayerFile {
  readonly path: string
  /** Bytes that the layer must have. */
  readonly size: number
  /** `GrowingFile.handle()` of a file that is still being written. */
  readonly growing?: GrowingHandle | undefined
}

const chunkSize = 256 * 1024
// Each wait has an end, so that a lost wake-up costs a second and not the layer.
const checkInterval = 1000

/**
 * Reads a layer's file to its end, following it while it grows. Chunks belong to the caller.
 *
 * @throws `data_loss` if the file has not the size that it must have, as soon as that is known; `aborted` if it was cut
 * and started again, or will never be complete
 */
export async function* readLayer(file: LayerFile, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const view = file.growing === undefined ? undefined : new GrowingFileView(file.growing)
  const aborted = new Promise<void>((resolve) => {
    signal?.addEventListener('abort', () => resolve(), { once: true })
  })
  const generation = file.growing?.generation
  const handle = await open(file.path, 'r').catch((error: unknown) => {
    throw fromSystemError(error, 'opening a layer')
  })
  try {
    let offset = 0
    for (;;) {
      signal?.throwIfAborted()
      const seen = view?.read() ?? { state: 'complete', offset: (await handle.stat()).size, generation }
      if (seen.generation !== generation)
        throw new NsboxError('aborted', 'the layer is being downloaded anew')
      if (seen.offset > file.size) throw wrongSize(seen.offset, file.size)
      if (offset < seen.offset) {
        const buffer = Buffer.allocUnsafe(Math.min(chunkSize, seen.offset - offset))
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset)
        // What is cut to nothing and started again may be read in between.
        if (view !== undefined && view.read().generation !== generation) continue
        if (bytesRead === 0) throw wrongSize(offset, file.size)
        offset += bytesRead
        yield buffer.subarray(0, bytesRead)
      } else if (seen.state === 'failed')
        throw new NsboxError('aborted', 'the download of the layer has failed')
      else if (seen.state === 'complete') {
        if (offset !== file.size) throw wrongSize(offset, file.size)
        return
      } else {
        const at = offset
        const changed = view!.change(() => {
          const now = view!.read()
          return now.offset !== at || now.state !== 'growing' || now.generation !== generation
        }, checkInterval)
        await Promise.race([changed, aborted])
      }
    }
  } finally {
    await handle.close()
  }
}

function wrongSize(actual: number, expected: number): NsboxError {
  return new NsboxError('data_loss', `the layer has ${actual} bytes instead of ${expected}`, {
    details: { actual, expected },
  })
}
