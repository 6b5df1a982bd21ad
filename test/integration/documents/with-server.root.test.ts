import { describeWith } from '@nsbox/testing/describe-with'
import { it } from 'vitest'
import { followDocument } from './follow-document.ts'
import { followedDocuments } from './followed-documents.ts'
import { openReader, readerNeeds } from './reader.ts'
import { useRegistries } from './use-registries.ts'

const programs = [...readerNeeds.programs, 'containerd', 'criu', 'docker', 'dockerd', 'pkill', 'script']

describeWith({ ...readerNeeds, programs }, 'a reader whose server runs', () => {
  const registries = useRegistries()

  it.each(followedDocuments.withServer)('gets what %s shows', { timeout: 300_000 }, async (path) => {
    await using reader = await openReader(registries())
    await followDocument(reader, path)
  })
})
