export { maxIdentifierLength, validateIdentifier } from './identifier.ts'
export {
  defaultNamespace,
  namespaceFromEnvironment,
  namespaceVariable,
  requireNamespace,
} from './namespace-name.ts'
export type { Namespace, NamespaceStore } from './namespace-store.ts'
export { maxLabelBytes, maxLabels, maxLabelsBytes, validateLabels } from './validate-labels.ts'
