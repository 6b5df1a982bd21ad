import type { AbortOptions } from '@nsbox/core/content'

/**
 * The bytes of a source, read ahead while the taker is busy with what it has: so a taker that is slow to start gets few
 * large pieces instead of many small ones. What has come before a source fails is given first.
 *
 * @param open begins the source; it must end when its signal aborts, which it does once the taker wants no more
 * @param ahead bytes to hold at most, besides one chunk of the source
 */
export async function* gathered(
  open: (signal: AbortSignal) => AsyncIterable<Uint8Array>,
  ahead: number,
  { signal }: AbortOptions = {},
): AsyncGenerator<Uint8Array> {
  const stop = new AbortController()
  let held: Uint8Array[] = []
  let size = 0
  let ended = false
  let failure: { readonly error: unknown } | undefined
  let changed = () => {}
  let change: Promise<void> = Promise.resolve()
  const renew = () => {
    changed()
    change = new Promise((resolve) => {
      changed = resolve
    })
  }
  renew()
  const read = async () => {
    try {
      for await (const chunk of open(signal ? AbortSignal.any([signal, stop.signal]) : stop.signal)) {
        held.push(chunk)
        size += chunk.byteLength
        renew()
        while (size >= ahead && !stop.signal.aborted) await change
        if (stop.signal.aborted) return
      }
    } catch (error) {
      failure = { error }
    } finally {
      ended = true
      renew()
    }
  }
  const reading = read()
  try {
    while (!ended || size > 0) {
      if (size === 0) {
        await change
        continue
      }
      const pieces = held
      held = []
      size = 0
      renew()
      yield pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
    }
    if (failure !== undefined) throw failure.error
  } finally {
    stop.abort()
    renew()
    await reading
  }
}
