import type { Writable } from 'node:stream'

/**
 * Writes all chunks to a stream, each after the previous one was accepted, and ends it. Stops without an error when the
 * stream is closed.
 *
 * @param chunks each is used until the next one is requested
 * @throws the errors of the source and the stream
 */
export async function writeChunks(
  stream: Writable,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let failure: unknown
  let onDone = () => {}
  const done = (error?: unknown) => {
    failure ??= error ?? undefined
    onDone()
  }
  // A stream that is destroyed may close without calling back.
  stream.on('close', done)
  stream.on('error', done)
  for await (const chunk of chunks) {
    signal?.throwIfAborted()
    if (!stream.destroyed)
      await new Promise<void>((resolve) => {
        onDone = resolve
        stream.write(chunk, done)
      })
    if (failure !== undefined) throw failure
    if (stream.destroyed) return
  }
  stream.end()
}
