import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, tempDir } from '@nsbox/testing'
import { expect, it } from 'vitest'

const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')))
const config = fileURLToPath(new URL('../../../vitest.config.ts', import.meta.url))

/** A store that does not check digests. */
const faultyStore = `
  import { contentStoreSuite } from '${join(import.meta.dirname, 'content/index.ts')}'
  import { MemoryContentStore } from '${join(import.meta.dirname, 'testing/memory-content-store.ts')}'

  class FaultyStore extends MemoryContentStore {
    async writer({ expected, ...options }, abort) {
      const writer = await super.writer(options, abort)
      return { ...writer, commit: ({ expected, ...rest } = {}) => writer.commit(rest) }
    }
  }
  contentStoreSuite('faulty', async () => ({ store: new FaultyStore(), async [Symbol.asyncDispose]() {} }))`

interface Report {
  testResults: { assertionResults: { title: string; status: string }[] }[]
}

it('a store with a fault fails the tests of what it does not keep, and no others', async () => {
  await using dir = await tempDir()
  const source = join(dir.path, 'packages/faulty/src')
  await mkdir(source, { recursive: true })
  await writeFile(join(source, 'store.test.ts'), faultyStore)
  const args = ['run', '--root', dir.path, '--config', config, '--reporter=json', '-t', 'committing']
  const { stdout } = await run(process.execPath, [vitest, ...args], { timeout: 120_000 })
  const { testResults }: Report = JSON.parse(stdout)
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'failed')
  expect(failed.map(({ title }) => title)).toEqual([
    'refuses bytes of another digest than the commit expects and keeps the ingest',
    'refuses bytes of another digest than the opening expects and keeps the ingest',
    'opens no ingest for a blob that exists',
  ])
}, 120_000)
