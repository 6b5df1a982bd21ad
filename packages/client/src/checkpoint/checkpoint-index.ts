import { toBinary } from '@bufbuild/protobuf'
import { AnySchema } from '@bufbuild/protobuf/wkt'
import { decodeMessage } from '@nsbox/api'
import { type AbortOptions, type ContentReader, readBlob, readIndex } from '@nsbox/core/content'
import type { OpaqueValue } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import {
  type Descriptor,
  isIndex,
  isLayer,
  isManifest,
  maxDocumentSize,
  mediaTypes,
  refNameAnnotation,
} from '@nsbox/oci'
import { receivedOpaque } from '../messages/opaque-value.ts'

/** Annotations of the index of a checkpoint, as containerd's clients have them. */
export const checkpointAnnotations = {
  /** Name of the image that the container is made of. */
  image: refNameAnnotation,
  /** The same, in the checkpoint of a task alone. */
  imageOfTask: 'image.name',
  runtime: 'io.containerd.checkpoint.runtime',
  snapshotter: 'io.containerd.checkpoint.snapshotter',
} as const

/** Label of the image of a checkpoint that has the memory of a task. */
export const checkpointLabel = 'containerd.io/checkpoint'

/**
 * The parts of a container's checkpoint. An index can be pulled and imported like any other, so it is trusted no more
 * than its source.
 */
export interface Checkpoint {
  /** The index itself. */
  readonly target: Descriptor
  /** The image that the container was made of, or its index. */
  readonly image?: Descriptor | undefined
  readonly imageName?: string | undefined
  /** The layer that the container had on top of its image. */
  readonly rw?: Descriptor | undefined
  /** The memory of the task, which `Tasks.create` takes. */
  readonly memory?: Descriptor | undefined
  /** The container's spec. */
  readonly spec?: OpaqueValue | undefined
  readonly runtime?: { readonly name: string; readonly options?: OpaqueValue | undefined } | undefined
  readonly snapshotter?: string | undefined
}

/** Bytes of a packed value, as a blob and everywhere else. */
export const opaqueBytes = ({ typeUrl, value }: OpaqueValue): Uint8Array =>
  toBinary(AnySchema, { $typeName: 'google.protobuf.Any', typeUrl, value })

/**
 * Reads the index of a checkpoint, of nsbox or of another client.
 *
 * @param target the target of the checkpoint's image
 * @throws `failed_precondition` for an image that is no checkpoint; `not_found` for a missing part that is needed;
 * `invalid_argument` for a malformed index; as `readBlob`
 */
export async function readCheckpoint(
  content: Pick<ContentReader, 'read'>,
  target: Descriptor,
  { signal }: AbortOptions = {},
): Promise<Checkpoint> {
  if (!isIndex(target.mediaType)) throw noCheckpoint(target)
  const limit = maxDocumentSize
  const index = await readIndex(content, target, { signal })
  const { annotations = {} } = index
  const part = (is: (mediaType: string) => boolean) => index.manifests.find(({ mediaType }) => is(mediaType))
  const blobOf = (type: string) => part((mediaType) => mediaType === type)
  const opaque = async (descriptor: Descriptor | undefined) =>
    descriptor && readOpaque(await readBlob(content, descriptor, { limit, signal }), descriptor)

  const memory = blobOf(mediaTypes.checkpointCriu)
  const rw = part(isLayer)
  const runtimeName = annotations[checkpointAnnotations.runtime]
  const imageName = annotations[checkpointAnnotations.image] ?? annotations[checkpointAnnotations.imageOfTask]
  if (runtimeName === undefined && imageName === undefined && memory === undefined) throw noCheckpoint(target)
  const options = await opaque(blobOf(mediaTypes.checkpointRuntimeOptions))
  return {
    target,
    image: part((mediaType) => isManifest(mediaType) || isIndex(mediaType)),
    imageName: imageName || undefined,
    rw,
    memory,
    spec: await opaque(blobOf(mediaTypes.checkpointConfig)),
    runtime: runtimeName ? { name: runtimeName, ...(options && { options }) } : undefined,
    snapshotter: annotations[checkpointAnnotations.snapshotter] || undefined,
  }
}

function readOpaque(bytes: Uint8Array, { digest, mediaType }: Descriptor): OpaqueValue {
  try {
    return receivedOpaque(decodeMessage(AnySchema, bytes))
  } catch (cause) {
    throw new NsboxError('invalid_argument', `content ${digest} is no ${mediaType}`, { cause })
  }
}

function noCheckpoint({ digest }: Descriptor): NsboxError {
  return new NsboxError('failed_precondition', `image ${digest} is no checkpoint of a container`)
}
