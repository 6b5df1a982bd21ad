export type { OpaqueValue } from '../opaque-value.ts'
export type {
  Container,
  ContainerChange,
  ContainerRuntime,
  ContainerStore,
  NewContainer,
} from './container-store.ts'
export { restartLabels } from './restart-labels.ts'
