export { chainIds, nextChainId } from './chain-id.ts'
export {
  assertDescriptor,
  type Descriptor,
  imageNameAnnotation,
  parseDescriptor,
  refNameAnnotation,
} from './descriptor.ts'
export { descriptorJson } from './descriptor-json.ts'
export {
  assertDigest,
  createHasher,
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestHex,
  digestOf,
  type Hasher,
  isDigest,
  parseDigest,
} from './digest.ts'
export {
  distributionSourceLabel,
  distributionSourceLabels,
  distributionSources,
} from './distribution-source.ts'
export { type DockerArchiveImage, dockerArchiveSteps, parseDockerArchive } from './docker-archive.ts'
export { maxDocumentSize } from './document.ts'
export { childGcLabels } from './gc-label.ts'
export {
  type ContainerDefaults,
  type ImageConfig,
  imageConfigSteps,
  parseImageConfig,
} from './image-config.ts'
export { type ImageConfigHistory, imageConfigJson } from './image-config-json.ts'
export { checkImageLayout, imageLayoutVersion } from './image-layout.ts'
export { type Index, indexSteps, parseIndex } from './index-document.ts'
export { ingestRef } from './ingest-ref.ts'
export { labelKeys } from './label.ts'
export { type Manifest, manifestSteps, parseManifest } from './manifest.ts'
export {
  isAttestation,
  isConfig,
  isDockerSchema1,
  isIndex,
  isLayer,
  isManifest,
  isNonDistributable,
  type LayerCompression,
  layerCompression,
  mediaTypes,
} from './media-type.ts'
export {
  defaultPlatform,
  formatPlatform,
  normalizePlatform,
  type Platform,
  parsePlatform,
} from './platform.ts'
export {
  matchPlatform,
  onlyPlatform,
  type PlatformMatcher,
  selectManifests,
} from './platform-match.ts'
export { formatReference, normalizeReference, parseReference, type Reference } from './reference.ts'
export type { Steps } from './steps.ts'
export { type Json, type JsonObject, parseStrictJson, strictJsonSteps } from './strict-json.ts'
export { validate } from './validate.ts'
