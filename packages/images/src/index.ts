export type { ExportOptions } from './archive/export-files.ts'
export { exportImages } from './archive/export-images.ts'
export type { ExportedImage } from './archive/export-plan.ts'
export { exportToDirectory } from './archive/export-to-directory.ts'
export type { ImageNaming } from './archive/image-naming.ts'
export {
  type ImageArchive,
  type ImportOptions,
  type ImportSummary,
  importImages,
} from './archive/import-images.ts'
export { checkImage, type ImageCheck } from './check-image.ts'
export { children } from './children.ts'
export { isExtractionKey } from './extraction-key.ts'
export type { UnpackWish } from './fetch-and-unpack.ts'
export { type FetchBlobOptions, fetchBlob } from './fetch-blob.ts'
export type { FetchSummary } from './fetch-tree.ts'
export { createFlights, type Flights } from './flights.ts'
export type { ImageLimits } from './image-budget.ts'
export { imageChainId } from './image-chain-id.ts'
export { imagePlatforms } from './image-platforms.ts'
export { type Fetched, type FetchOptions, fetch, type PullOptions, pull } from './pull.ts'
export { type PushOptions, push } from './push.ts'
export { type ImageDescription, readImage } from './read-image.ts'
export { createFollowers, type Slots } from './slots.ts'
export { snapshotExists } from './snapshot-exists.ts'
export { type UnpackedImage, type UnpackOptions, unpack } from './unpack.ts'
export type { UnpackDestination } from './unpack-layer.ts'
export { walk } from './walk.ts'
