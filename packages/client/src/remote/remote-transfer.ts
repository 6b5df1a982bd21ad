import { setTimeout as sleep } from 'node:timers/promises'
import type { Any } from '@bufbuild/protobuf/wkt'
import { type MessageChannel, packAny, receiveBytes, sendBytes } from '@nsbox/api'
import { Transfer } from '@nsbox/api/gen/services/transfer/v1/transfer_pb'
import { ImageStoreSchema } from '@nsbox/api/gen/types/transfer/imagestore_pb'
import {
  ImageExportStreamSchema,
  ImageImportStreamSchema,
} from '@nsbox/api/gen/types/transfer/importexport_pb'
import { AuthResponseSchema, OCIRegistrySchema } from '@nsbox/api/gen/types/transfer/registry_pb'
import { onAbort } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import type {
  CredentialSource,
  ProgressListener,
  TransferDestination,
  Transferrer,
  TransferSource,
} from '@nsbox/core/transfer'
import { isUnavailable } from '@nsbox/errors'
import { DisposableStack } from '@whatwg-node/disposablestack'
import type { Rpc } from '../connection/rpc.ts'
import { SideStream } from '../connection/side-stream.ts'
import {
  credentialsMessage,
  exportMessage,
  imageStoreMessage,
  importMessage,
  receivedCredentialRequest,
  receivedProgress,
  registryMessage,
} from '../messages/transfer-message.ts'

/** How long, in milliseconds, the last of the progress may take to arrive once the transfer is over. */
const progressTimeout = 1_000

/** How long, in milliseconds, a silent stream is still read after its call has ended. */
const quietTime = 1_000

/** Transfers that a server makes into and out of one namespace. */
export class RemoteTransfer implements Transferrer {
  readonly #rpc: Rpc

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  async transfer(
    source: TransferSource,
    destination: TransferDestination,
    {
      onProgress,
      signal: caller,
    }: { readonly onProgress?: ProgressListener | undefined } & AbortOptions = {},
  ): Promise<void> {
    using streams = new DisposableStack()
    const failure = new AbortController()
    const signal = caller ? AbortSignal.any([caller, failure.signal]) : failure.signal
    const open = async (purpose: string) => streams.use(await SideStream.open(this.#rpc, purpose, { signal }))
    /** A failure beside the call ends the call. */
    const beside = (task: Promise<void>) => task.catch((error) => failure.abort(error))

    const progress = onProgress && (await open('progress'))
    const shown = progress && beside(show(progress, onProgress))
    let taken: Promise<void> | undefined
    const over = new AbortController()
    const told: Promise<void>[] = []
    const pack = async (endpoint: TransferSource | TransferDestination): Promise<Any> => {
      if (endpoint.kind === 'image') return packAny(ImageStoreSchema, imageStoreMessage(endpoint))
      if (endpoint.kind === 'archive source') {
        const stream = await open('import')
        const bytes = telling(endpoint.bytes, (error) => failure.abort(error))
        // A server that needs no more ends the stream; the end of the call gives the reason.
        void beside(sendBytes(stream, bytes, { signal }).then(() => stream.end(), unlessEnded))
        return packAny(ImageImportStreamSchema, importMessage(endpoint, stream.id))
      }
      if (endpoint.kind === 'archive sink') {
        const stream = await open('export')
        const channel = endingAfter(over.signal, stream)
        taken = beside(endpoint.take(receiveBytes(channel, { signal }), { signal }))
        return packAny(ImageExportStreamSchema, exportMessage(endpoint, stream.id))
      }
      const { credentials, requestLog } = endpoint
      const questions = credentials && (await open('credentials'))
      if (questions) void beside(answer(questions, credentials, signal))
      const logs = requestLog && (await open('logs'))
      if (logs) told.push(beside(tell(logs, requestLog.tell)))
      const streamIds = { credentials: questions?.id, log: logs?.id }
      return packAny(OCIRegistrySchema, registryMessage(endpoint, streamIds))
    }
    const request = {
      source: await pack(source),
      destination: await pack(destination),
      options: { progressStream: progress?.id ?? '' },
    }
    await this.#rpc.unary(Transfer.method.transfer, request, { signal })
    over.abort()
    await taken
    failure.signal.throwIfAborted()
    const rest = Promise.all([shown, ...told])
    await Promise.race([rest, sleep(progressTimeout, undefined, { ref: false })])
  }
}

/**
 * The same channel, which also ends once the call is over and nothing arrives for `quietTime`: containerd 1.7 leaves
 * the stream of an export open.
 */
function endingAfter(over: AbortSignal, stream: SideStream): MessageChannel {
  return {
    send: (message) => stream.send(message),
    receive: (options) => {
      return new Promise((resolve, reject) => {
        let timer: NodeJS.Timeout | undefined
        const waiting = onAbort(over, () => {
          timer = setTimeout(() => resolve(undefined), quietTime)
        })
        const settled = () => {
          clearTimeout(timer)
          waiting[Symbol.dispose]()
        }
        stream.receive(options).then(resolve, reject).finally(settled)
      })
    },
  }
}

/** The same bytes; a failure of their source is kept, to be thrown first. */
async function* telling(
  bytes: AsyncIterable<Uint8Array>,
  onError: (error: unknown) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* bytes
  } catch (error) {
    onError(error)
    throw error
  }
}

function unlessEnded(error: unknown): void {
  if (!isUnavailable(error)) throw error
}

async function show(progress: SideStream, onProgress: ProgressListener): Promise<void> {
  for await (const message of progress.messages()) onProgress(receivedProgress(message))
}

/** Passes on what the server tells of requests. A server that does not know of such a log leaves it empty. */
async function tell(logs: SideStream, onText: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  for await (const bytes of receiveBytes(logs)) onText(decoder.decode(bytes, { stream: true }))
}

async function answer(questions: SideStream, source: CredentialSource, signal: AbortSignal): Promise<void> {
  for await (const message of questions.messages()) {
    const credentials = await source(receivedCredentialRequest(message), { signal })
    await questions.send(packAny(AuthResponseSchema, credentialsMessage(credentials)))
  }
}
