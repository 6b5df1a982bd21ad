import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import type { AbortOptions } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'

/**
 * Asks at the terminal for something that nobody else is to see: what is typed is not shown. The question goes to the
 * standard error.
 *
 * @throws `canceled` at the end of the input; the signal's reason
 */
export async function askSecret(question: string, { signal }: AbortOptions = {}): Promise<string> {
  signal?.throwIfAborted()
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 })
  const stop = () => lines.close()
  signal?.addEventListener('abort', stop)
  process.stderr.write(question)
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve)
      lines.once('close', () => reject(new NsboxError('canceled', 'no password was given')))
      // The keys of a raw terminal send no signals.
      lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'))
    })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
    lines.close()
    process.stderr.write('\n')
  }
}
