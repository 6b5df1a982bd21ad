export { imageFromRootFilesystem, type RootFilesystemOptions } from './image-from-root-filesystem.ts'
export type { RootFilesystem, RootFilesystemLayerOptions } from './root-filesystem-layer.ts'
