/** The scope of a token, such as `repository:library/redis:pull`. */
export type Scope = string

/** @param actions `pull`, or `pull,push` */
export function repositoryScope(repository: string, actions: 'pull' | 'pull,push'): Scope {
  return `repository:${repository}:${actions}`
}

/** Merges scopes to one for each resource with all its actions, sorted, so that equal scopes give equal texts. */
export function mergeScopes(scopes: readonly Scope[]): Scope[] {
  const byResource = new Map<string, Set<string>>()
  for (const scope of scopes) {
    const split = scope.lastIndexOf(':')
    const resource = split < 0 ? scope : scope.slice(0, split)
    const actions = byResource.get(resource) ?? new Set()
    for (const action of split < 0 ? [] : scope.slice(split + 1).split(',')) actions.add(action)
    byResource.set(resource, actions)
  }
  return [...byResource]
    .map(([resource, actions]) =>
      actions.size === 0 ? resource : `${resource}:${[...actions].sort().join()}`,
    )
    .sort()
}
