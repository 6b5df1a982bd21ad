import type { Writable } from 'node:stream'

/**
 * Hands the standard input on to a stream until the result is disposed of. Without a stream the standard input is left
 * alone.
 *
 * @param options `end`: whether the end of the input is handed on as well; `onError` is called with any error
 */
export function feedInput(
  target: Writable | undefined,
  { end, onError }: { readonly end: boolean; readonly onError: (error: unknown) => void },
): Disposable {
  if (target === undefined) return { [Symbol.dispose]: () => undefined }
  const { stdin } = process
  target.on('error', onError)
  stdin.on('error', onError)
  stdin.pipe(target, { end })
  return {
    [Symbol.dispose]: () => {
      stdin.unpipe(target)
      stdin.off('error', onError)
      // Otherwise a pending read would keep this program from ending.
      stdin.pause()
      stdin.destroy()
    },
  }
}
