export type { ImageNaming } from './archive/image-naming.ts'
export {
  type ImageArchive,
  type ImportOptions,
  type ImportSummary,
  importImages,
} from './archive/import-images.ts'
export { checkImage, type ImageCheck } from './check-image.ts'
export { children } from './children.ts'
export { type FetchBlobOptions, fetchBlob } from './fetch-blob.ts'
export type { FetchSummary } from './fetch-tree.ts'
export { createFlights, type Flights } from './flights.ts'
export { imagePlatforms } from './image-platforms.ts'
export { type FetchOptions, fetch, type PullOptions, pull } from './pull.ts'
export { type PushOptions, push } from './push.ts'
export { walk } from './walk.ts'
