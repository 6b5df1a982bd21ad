import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll } from 'vitest'
import { type DocumentRegistries, openDocumentRegistries } from './document-registries.ts'

/** The registries of the documents, for all tests of a block; to be asked for within a test. */
export function useRegistries(): () => DocumentRegistries {
  const resources = new AsyncDisposableStack()
  let registries: DocumentRegistries
  beforeAll(async () => {
    registries = resources.use(await openDocumentRegistries())
  })
  afterAll(() => resources.disposeAsync())
  return () => registries
}
