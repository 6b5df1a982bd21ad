import { packAny, toBigInt } from '@nsbox/api'
import { ProgressSchema } from '@nsbox/api/gen/types/transfer/progress_pb'
import type { ProgressListener, TransferProgress } from '@nsbox/core/transfer'
import { toDescriptorMessage } from '../convert/descriptor.ts'
import type { MessageStream } from '../streaming/message-stream.ts'

/** Number of unread messages from which updates of byte counts are left out. */
const enough = 64

/** Interval of updates, in milliseconds. */
const interval = 100

/** Transient states, which may be left out. */
const passing = new Set(['waiting', 'downloading', 'uploading', 'extracting'])

/**
 * Sends progress to the client over its stream, ten times a second: a small object has passed most of its states by
 * then, and each message costs both sides as much as such a state. Transient states between two updates are left out. A
 * slow client gets fewer counts of bytes; one that reads nothing loses the stream, and the transfer goes on without it.
 * Dispose of it to send the last states.
 */
export function streamProgress(stream: MessageStream): ProgressListener & Disposable {
  const told = new Map<string, string>()
  const news = new Map<string, TransferProgress[]>()
  let timer: NodeJS.Timeout | undefined

  const send = (progress: TransferProgress) => {
    if (stream.closed.aborted) return
    const moved = told.get(progress.name) === progress.event
    told.set(progress.name, progress.event)
    if (moved && stream.pending >= enough) return
    try {
      stream.send(packAny(ProgressSchema, toMessage(progress)))
    } catch (error) {
      stream.fail(error)
    }
  }
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    for (const steps of news.values()) for (const step of steps) send(step)
    news.clear()
  }
  const listener: ProgressListener = (progress) => {
    if (stream.closed.aborted) return
    const steps = news.get(progress.name) ?? []
    if (passing.has(steps.at(-1)?.event ?? '')) steps.pop()
    news.set(progress.name, [...steps, progress])
    timer ??= setTimeout(flush, interval).unref()
  }
  return Object.assign(listener, { [Symbol.dispose]: flush })
}

function toMessage({ event, name, parents, progress, total, descriptor }: TransferProgress) {
  return {
    event,
    name,
    parents: [...parents],
    progress: toBigInt(progress, 'progress'),
    total: toBigInt(total, 'total'),
    ...(descriptor === undefined ? {} : { desc: toDescriptorMessage(descriptor) }),
  }
}
