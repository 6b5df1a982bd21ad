import { setTimeout as sleep } from 'node:timers/promises'
import { sendBytes } from '@nsbox/api'
import type { AbortOptions } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import { BoundedQueue } from '../queue/bounded-queue.ts'
import type { MessageStream } from '../streaming/message-stream.ts'

/** Most texts, and bytes of them, that wait for the client. */
const limits = { items: 4096, bytes: 4 << 20 }

/** How long, in milliseconds, the client has to read the last of it. */
const patience = 1000

/**
 * Sends text to the client over its stream. One that does not read loses the stream, and its call goes on without it.
 * Dispose of it to send the last of it.
 */
export function streamLog(
  stream: MessageStream,
  options: AbortOptions,
): ((text: string) => void) & AsyncDisposable {
  const texts = new BoundedQueue<Buffer>(limits, (text) => text.length)
  const sent = sendBytes(stream, texts, options).catch((error: unknown) => stream.fail(error))
  const tell = (text: string) => {
    if (!texts.push(Buffer.from(text)))
      texts.fail(new NsboxError('resource_exhausted', 'the client does not read the log of requests'))
  }
  const end = async () => {
    texts.close()
    await Promise.race([sent, sleep(patience, undefined, { ref: false })])
  }
  return Object.assign(tell, { [Symbol.asyncDispose]: end })
}
