export type { OpaqueValue } from '../opaque-value.ts'
export type { Container, ContainerRuntime, ContainerStore, NewContainer } from './container-store.ts'
