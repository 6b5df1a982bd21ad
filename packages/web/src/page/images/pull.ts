import { create } from '@bufbuild/protobuf'
import { anyPack, anyUnpack } from '@bufbuild/protobuf/wkt'
import { ImageStoreSchema } from '@nsbox/api/gen/types/transfer/imagestore_pb'
import { type Progress, ProgressSchema } from '@nsbox/api/gen/types/transfer/progress_pb'
import { OCIRegistrySchema } from '@nsbox/api/gen/types/transfer/registry_pb'
import { pageStreams, transfer, within } from '../connection/calls.ts'
import { serverPlatform } from './server-platform.ts'

interface PullOptions {
  readonly namespace: string
  /** The whole name. */
  readonly reference: string
  /** Whether to ask the registry by plain http. */
  readonly plainHttp: boolean
  readonly onStep: (step: Progress) => void
  readonly signal: AbortSignal
}

/** Has the server pull and unpack an image, for its own platform. */
export async function pull(options: PullOptions): Promise<void> {
  const { namespace, reference, plainHttp, onStep, signal } = options
  const platform = await serverPlatform(signal)
  const over = new AbortController()
  const id = crypto.randomUUID()
  const steps = pageStreams.listen(
    { id },
    within(namespace, { signal: AbortSignal.any([signal, over.signal]) }),
  )
  const reader = steps[Symbol.asyncIterator]()
  try {
    // The first message says that the stream can be named.
    await reader.next()
    void follow(reader, onStep)
    const source = create(OCIRegistrySchema, {
      reference,
      resolver: { defaultScheme: plainHttp ? 'http' : '' },
    })
    const destination = create(ImageStoreSchema, {
      name: reference,
      // Without any, those of all platforms would be taken.
      platforms: platform === undefined ? [] : [platform],
      unpacks: [platform === undefined ? {} : { platform }],
    })
    await transfer.transfer(
      {
        source: anyPack(OCIRegistrySchema, source),
        destination: anyPack(ImageStoreSchema, destination),
        options: { progressStream: id },
      },
      within(namespace, { signal }),
    )
  } finally {
    over.abort()
  }
}

async function follow(
  reader: AsyncIterator<Parameters<typeof anyUnpack>[0]>,
  onStep: (step: Progress) => void,
) {
  try {
    for (let result = await reader.next(); !result.done; result = await reader.next()) {
      const step = anyUnpack(result.value, ProgressSchema)
      if (step !== undefined) onStep(step)
    }
  } catch {
    // The pull tells of its own end.
  }
}
