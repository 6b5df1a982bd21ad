import { expect, test } from 'vitest'
import {
  isAttestation,
  isConfig,
  isDockerSchema1,
  isIndex,
  isLayer,
  isManifest,
  isNonDistributable,
  layerCompression,
  mediaTypes,
} from './media-type.ts'

const predicates = {
  isAttestation,
  isConfig,
  isDockerSchema1,
  isIndex,
  isLayer,
  isManifest,
  isNonDistributable,
}
const is = (mediaType: string) =>
  Object.entries(predicates)
    .filter(([, predicate]) => predicate(mediaType))
    .map(([name]) => name)

test.each<[string, string[], ReturnType<typeof layerCompression>]>([
  [mediaTypes.ociIndex, ['isIndex'], undefined],
  [mediaTypes.dockerManifestList, ['isIndex'], undefined],
  [mediaTypes.ociManifest, ['isManifest'], undefined],
  [mediaTypes.dockerManifest, ['isManifest'], undefined],
  [mediaTypes.ociConfig, ['isConfig'], undefined],
  [mediaTypes.dockerConfig, ['isConfig'], undefined],
  [mediaTypes.checkpointConfig, ['isConfig'], undefined],
  [mediaTypes.checkpointCriu, [], undefined],
  [mediaTypes.ociEmpty, [], undefined],
  [mediaTypes.ociLayer, ['isLayer'], 'none'],
  [mediaTypes.ociLayerGzip, ['isLayer'], 'gzip'],
  [mediaTypes.ociLayerZstd, ['isLayer'], 'zstd'],
  [mediaTypes.ociForeignLayer, ['isLayer', 'isNonDistributable'], 'none'],
  [mediaTypes.ociForeignLayerGzip, ['isLayer', 'isNonDistributable'], 'gzip'],
  [mediaTypes.ociForeignLayerZstd, ['isLayer', 'isNonDistributable'], 'zstd'],
  [mediaTypes.dockerLayer, ['isLayer'], 'unknown'],
  [mediaTypes.dockerLayerGzip, ['isLayer'], 'gzip'],
  [mediaTypes.dockerLayerZstd, ['isLayer'], 'zstd'],
  [mediaTypes.dockerForeignLayer, ['isLayer', 'isNonDistributable'], 'unknown'],
  [mediaTypes.dockerForeignLayerGzip, ['isLayer', 'isNonDistributable'], 'gzip'],
  ['application/vnd.oci.image.layer.v1.tar+gzip+encrypted', ['isLayer'], undefined],
  ['application/vnd.oci.image.layer.v1.erofs', ['isLayer'], undefined],
  ['application/vnd.in-toto+json', ['isAttestation'], undefined],
  ['application/vnd.in-toto.provenance+dsse', ['isAttestation'], undefined],
  ['application/vnd.docker.distribution.manifest.v1+json', ['isDockerSchema1'], undefined],
  ['application/vnd.docker.distribution.manifest.v1+prettyjws', ['isDockerSchema1'], undefined],
  ['application/octet-stream', [], undefined],
  ['', [], undefined],
  [`x${mediaTypes.ociLayer}`, [], undefined],
])('%s is %j, compressed %s', (mediaType, expected, compression) => {
  expect(is(mediaType)).toEqual(expected)
  expect(layerCompression(mediaType)).toBe(compression)
})
