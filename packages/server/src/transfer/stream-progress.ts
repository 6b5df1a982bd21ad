import { packAny, toBigInt } from '@nsbox/api'
import { ProgressSchema } from '@nsbox/api/gen/types/transfer/progress_pb'
import type { ProgressListener, TransferProgress } from '@nsbox/core/transfer'
import { toDescriptorMessage } from '../convert/descriptor.ts'
import type { MessageStream } from '../streaming/message-stream.ts'

/** From how many untaken messages on bytes that merely moved are not worth another one. */
const enough = 64

/**
 * Sends progress to the client over its stream. A client that is slow gets every change of state but not every count of
 * bytes; one that takes nothing at all loses the stream, and the transfer goes on without it.
 */
export function streamProgress(stream: MessageStream): ProgressListener {
  const states = new Map<string, string>()
  return (progress) => {
    if (stream.closed.aborted) return
    const moved = states.get(progress.name) === progress.event
    states.set(progress.name, progress.event)
    if (moved && stream.pending >= enough) return
    try {
      stream.send(packAny(ProgressSchema, toMessage(progress)))
    } catch (error) {
      stream.fail(error)
    }
  }
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
