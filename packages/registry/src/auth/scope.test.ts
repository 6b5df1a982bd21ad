import { expect, it } from 'vitest'
import { mergeScopes, repositoryScope } from './scope.ts'

it('merges the actions on one resource, whatever their order', () => {
  const push = repositoryScope('a/b', 'pull,push')
  expect(
    mergeScopes(['repository:z:pull', 'repository:a/b:push', push, 'registry:catalog:*', 'plain']),
  ).toEqual(['plain', 'registry:catalog:*', 'repository:a/b:pull,push', 'repository:z:pull'])
})
