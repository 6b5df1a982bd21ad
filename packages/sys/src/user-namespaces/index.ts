export {
  canGainByUserNamespace,
  enterUserNamespace,
  joinUserNamespace,
  planUserNamespace,
  type UserNamespacePlan,
  userNamespaceRefusal,
} from './enter-user-namespace.ts'
export { hasId, type IdRange, isInUserNamespace, ownIdRanges, parseIdRanges } from './id-ranges.ts'
