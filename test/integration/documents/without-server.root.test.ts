import { describeWith } from '@nsbox/testing/describe-with'
import { expect, it } from 'vitest'
import { followDocument } from './follow-document.ts'
import { followedDocuments } from './followed-documents.ts'
import { openReader, readerNeeds } from './reader.ts'
import { useRegistries } from './use-registries.ts'

const programs = [...readerNeeds.programs, 'criu', 'curl', 'pasta', 'pgrep', 'promtool']

describeWith({ ...readerNeeds, programs }, 'a reader without a server', () => {
  const registries = useRegistries()

  it.each(followedDocuments.withoutServer)('gets what %s shows', { timeout: 300_000 }, async (path) => {
    await using reader = await openReader(registries(), { server: false, hosted: false })
    await followDocument(reader, path)
  })

  it('would notice a command that fails, and one that prints something else', async () => {
    await using reader = await openReader(registries(), { server: false })
    const shell = await reader.shell('root')
    await shell.run('variable=kept\ncd /', undefined)
    await shell.run('echo $variable $PWD', 'kept /\n')
    await expect(shell.run('echo one', 'two\n')).rejects.toThrow(/printed:\none\n/)
    await expect(shell.run('echo late &', 'another\n', 1000)).rejects.toThrow(/printed:\nlate\n/)
    await expect(shell.run('echo before\nfalse\necho after', undefined)).rejects.toThrow(
      /printed:\nbefore\n$/,
    )
  })
})
