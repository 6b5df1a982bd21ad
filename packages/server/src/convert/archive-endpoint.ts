import { type AnyLike, typeName, unpackAny } from '@nsbox/api'
import {
  ImageExportStreamSchema,
  ImageImportStreamSchema,
} from '@nsbox/api/gen/types/transfer/importexport_pb'
import type { ArchiveSink, ArchiveSource } from '@nsbox/core/transfer'
import { defaultPlatform } from '@nsbox/oci'
import { fromPlatformMessages } from './platform.ts'

/**
 * An archive that a client sends.
 *
 * @param receive returns the bytes that the client sends over a stream
 * @returns undefined for another kind of endpoint
 */
export function fromArchiveSourceMessage(
  any: AnyLike | undefined,
  receive: (streamId: string) => AsyncIterable<Uint8Array>,
): ArchiveSource | undefined {
  if (any === undefined || typeName(any) !== ImageImportStreamSchema.typeName) return undefined
  // The media type is not needed: the bytes show the kind.
  const { stream, forceCompress } = unpackAny(ImageImportStreamSchema, any)
  return { kind: 'archive source', bytes: receive(stream), compressBlobs: forceCompress }
}

/**
 * An archive that a client takes.
 *
 * @param send returns a function that sends bytes over a stream
 * @returns undefined for another kind of endpoint
 */
export function fromArchiveSinkMessage(
  any: AnyLike | undefined,
  send: (streamId: string) => ArchiveSink['take'],
): ArchiveSink | undefined {
  if (any === undefined || typeName(any) !== ImageExportStreamSchema.typeName) return undefined
  const { stream, platforms, allPlatforms, ...skip } = unpackAny(ImageExportStreamSchema, any)
  const chosen = platforms.length > 0 ? fromPlatformMessages(platforms) : [defaultPlatform()]
  return {
    kind: 'archive sink',
    take: send(stream),
    platforms: allPlatforms ? [] : chosen,
    skipDockerManifest: skip.skipCompatibilityManifest,
    skipNonDistributable: skip.skipNonDistributable,
  }
}
