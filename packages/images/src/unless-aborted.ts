/**
 * Waits for a promise, which must not reject, or until the signal aborts.
 * @throws the signal's reason
 */
export async function unlessAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  let onAbort = () => {}
  const aborted = new Promise<void>((resolve) => {
    onAbort = resolve
  })
  signal?.addEventListener('abort', onAbort, { once: true })
  await Promise.race([promise, aborted])
  signal?.removeEventListener('abort', onAbort)
  signal?.throwIfAborted()
}
