export type { ContainerStores } from './container-stores.ts'
export {
  type ContainerWork,
  createContainer,
  imageOf,
  type OwnContainerOptions,
  type SnapshotBase,
} from './create-container.ts'
export type { ImageDescription } from './image-description.ts'
export type { ImageInUse } from './image-in-use.ts'
