import { readmeExample } from '@nsbox/testing'
import { expect, test } from 'vitest'

test('generated code is reached by its path', async () => {
  const { Content } = await import('@nsbox/api/gen/services/content/v1/content_pb')
  expect(Content.typeName).toBe('containerd.services.content.v1.Content')
})

test('the example in the README works', () => readmeExample(new URL('../README.md', import.meta.url)))
