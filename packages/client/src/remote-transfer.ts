import { setTimeout as sleep } from 'node:timers/promises'
import type { Any } from '@bufbuild/protobuf/wkt'
import { packAny } from '@nsbox/api'
import { Transfer } from '@nsbox/api/gen/services/transfer/v1/transfer_pb'
import { ImageStoreSchema } from '@nsbox/api/gen/types/transfer/imagestore_pb'
import { AuthResponseSchema, OCIRegistrySchema } from '@nsbox/api/gen/types/transfer/registry_pb'
import type { AbortOptions } from '@nsbox/core/content'
import type { CredentialSource, ProgressListener, TransferEndpoint, Transferrer } from '@nsbox/core/transfer'
import { DisposableStack } from '@whatwg-node/disposablestack'
import type { Rpc } from './rpc.ts'
import { SideStream } from './side-stream.ts'
import {
  credentialsMessage,
  imageStoreMessage,
  receivedCredentialRequest,
  receivedProgress,
  registryMessage,
} from './transfer-message.ts'

/** How long, in milliseconds, the last of the progress may take to arrive once the transfer is over. */
const progressTimeout = 1_000

/** Transfers that a server makes into and out of one namespace. */
export class RemoteTransfer implements Transferrer {
  readonly #rpc: Rpc

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  async transfer(
    source: TransferEndpoint,
    destination: TransferEndpoint,
    {
      onProgress,
      signal: caller,
    }: { readonly onProgress?: ProgressListener | undefined } & AbortOptions = {},
  ): Promise<void> {
    using streams = new DisposableStack()
    const failure = new AbortController()
    const signal = caller ? AbortSignal.any([caller, failure.signal]) : failure.signal
    const open = async (purpose: string) => streams.use(await SideStream.open(this.#rpc, purpose, { signal }))
    /** What goes on beside the call ends it if it fails. */
    const beside = (task: Promise<void>) => task.catch((error) => failure.abort(error))

    const progress = onProgress && (await open('progress'))
    const shown = progress && beside(show(progress, onProgress))
    const pack = async (endpoint: TransferEndpoint): Promise<Any> => {
      if (endpoint.kind === 'image') return packAny(ImageStoreSchema, imageStoreMessage(endpoint))
      const { credentials } = endpoint
      const questions = credentials && (await open('credentials'))
      if (questions) void beside(answer(questions, credentials, signal))
      return packAny(OCIRegistrySchema, registryMessage(endpoint, questions?.id))
    }
    const request = {
      source: await pack(source),
      destination: await pack(destination),
      options: { progressStream: progress?.id ?? '' },
    }
    await this.#rpc.unary(Transfer.method.transfer, request, { signal })
    await Promise.race([shown, sleep(progressTimeout, undefined, { ref: false })])
  }
}

async function show(progress: SideStream, onProgress: ProgressListener): Promise<void> {
  for await (const message of progress.messages()) onProgress(receivedProgress(message))
}

async function answer(questions: SideStream, source: CredentialSource, signal: AbortSignal): Promise<void> {
  for await (const message of questions.messages()) {
    const credentials = await source(receivedCredentialRequest(message), { signal })
    await questions.send(AuthResponseSchema, credentialsMessage(credentials))
  }
}
