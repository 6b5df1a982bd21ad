/** The media types that nsbox knows, of OCI and of Docker's image manifest version 2, schema 2. */
export const mediaTypes = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  ociForeignLayer: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  ociForeignLayerGzip: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  ociForeignLayerZstd: 'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar',
  dockerForeignLayerGzip: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  checkpointConfig: 'application/vnd.containerd.container.checkpoint.config.v1+proto',
  checkpointCriu: 'application/vnd.containerd.container.criu.checkpoint.criu.tar',
  checkpointOptions: 'application/vnd.containerd.container.checkpoint.options.v1+proto',
  checkpointRuntimeOptions: 'application/vnd.containerd.container.checkpoint.runtime.options+proto',
} as const

/** How the bytes of a layer are compressed. */
export type LayerCompression = 'none' | 'gzip' | 'zstd'

const t = mediaTypes
const indexes = new Set<string>([t.ociIndex, t.dockerManifestList])
const manifests = new Set<string>([t.ociManifest, t.dockerManifest])
const configs = new Set<string>([t.ociConfig, t.dockerConfig, t.checkpointConfig])
const schema1 = new Set<string>([
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
])
const dockerLayers = new Map<string, LayerCompression | 'unknown'>([
  [t.dockerLayer, 'unknown'],
  [t.dockerForeignLayer, 'unknown'],
  [t.dockerLayerGzip, 'gzip'],
  [t.dockerForeignLayerGzip, 'gzip'],
  [t.dockerLayerZstd, 'zstd'],
])
const ociLayerPrefix = 'application/vnd.oci.image.layer.'

/** Whether content of this type lists manifests. */
export const isIndex = (mediaType: string): boolean => indexes.has(mediaType)

/** Whether content of this type lists a config and layers. */
export const isManifest = (mediaType: string): boolean => manifests.has(mediaType)

/** Whether content of this type is an image config. */
export const isConfig = (mediaType: string): boolean => configs.has(mediaType)

/** Whether content of this type is a file system layer, with any compression or wrapping. */
export const isLayer = (mediaType: string): boolean =>
  dockerLayers.has(mediaType) || mediaType.startsWith(ociLayerPrefix)

/** Whether content of this type is an in-toto statement, as build tools attach to images. */
export const isAttestation = (mediaType: string): boolean => mediaType.startsWith('application/vnd.in-toto')

/** Whether this is Docker's manifest version 2, schema 1, which nsbox recognises only to refuse. */
export const isDockerSchema1 = (mediaType: string): boolean => schema1.has(mediaType)

/** Whether a layer of this type may have been left out of a registry on purpose ("foreign" layers). */
export const isNonDistributable = (mediaType: string): boolean =>
  mediaType.startsWith(`${ociLayerPrefix}nondistributable.`) ||
  mediaType === t.dockerForeignLayer ||
  mediaType === t.dockerForeignLayerGzip

/**
 * The compression of a layer of this type. `unknown` for Docker's plain types, which some compressed layers have: check
 * the bytes. Undefined for other types and for layers with a wrapping, such as `+encrypted`.
 */
export function layerCompression(mediaType: string): LayerCompression | 'unknown' | undefined {
  const docker = dockerLayers.get(mediaType)
  if (docker !== undefined) return docker
  const match =
    /^application\/vnd\.oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+(gzip|zstd))?$/.exec(mediaType)
  return match ? ((match[1] as LayerCompression | undefined) ?? 'none') : undefined
}
