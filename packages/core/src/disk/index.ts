export { type DiskUsage, diskUsage, type NamedUsage, type NamespaceUsage, type Usage } from './disk-usage.ts'
export {
  type ObjectKind,
  type ObjectName,
  type ObjectReader,
  type ObjectsOptions,
  objectKey,
  objectsByKey,
  type StoredObject,
} from './stored-object.ts'
export { unheld } from './unheld.ts'
export { type Chain, why } from './why.ts'
