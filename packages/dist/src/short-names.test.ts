import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  buildImage,
  filesLayer,
  pushImage,
  type Registry,
  startRegistry,
  type TempDir,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { distProgram } from './program.ts'

describeWith({ programs: ['docker-registry', 'skopeo'] }, 'short names', () => {
  let directory: TempDir
  let registry: Registry
  let root: string
  let hosts: string
  let digest: string

  beforeAll(async () => {
    directory = await tempDir('nsbox-short-names')
    registry = await startRegistry()
    const image = await buildImage(join(directory.path, 'layout'), {
      layers: [await filesLayer({ 'greeting.txt': 'hello\n' })],
    })
    digest = (await pushImage(image, registry, 'library/tiny:latest')).digest
    root = join(directory.path, 'root')
    hosts = join(directory.path, 'hosts')
    await mkdir(join(hosts, 'docker.io'), { recursive: true })
    await writeFile(join(hosts, 'docker.io', 'hosts.toml'), `server = "http://${registry.host}"\n`)
  })
  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]()
    await directory?.[Symbol.asyncDispose]()
  })

  /** What a command writes to its standard output. */
  async function dist(...args: string[]): Promise<string> {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    try {
      await distProgram().parseAsync(['--root', root, ...args], { from: 'user' })
      return write.mock.calls.map(([text]) => String(text)).join('')
    } finally {
      write.mockRestore()
    }
  }

  it('are completed as docker does, and shown in full', async () => {
    const from = ['--hosts-dir', hosts]
    expect(await dist('pull', '--no-unpack', ...from, 'tiny')).toContain(
      `\ndocker.io/library/tiny:latest ${digest}\n`,
    )
    await dist('push', ...from, 'someone/tiny', 'tiny')
    expect(await dist('fetch-object', ...from, 'someone/tiny')).toMatch(/^\{.*\}$/s)
    await dist('fetch', ...from, 'someone/tiny', 'latest')
    expect(await dist('images', 'set-labels', 'someone/tiny', 'a=b')).toBe('a=b\n')
    expect(await dist('images', 'ls')).toMatch(
      /\ndocker\.io\/library\/tiny:latest .*\ndocker\.io\/someone\/tiny:latest .* a=b +\n$/,
    )
    expect(await dist('images', 'rm', 'tiny', 'someone/tiny')).toBe(
      'docker.io/library/tiny:latest\ndocker.io/someone/tiny:latest\n',
    )
  })

  it('give way to an image that has such a name', async () => {
    await dist('pull', '--no-unpack', '--hosts-dir', hosts, 'tiny')
    const archive = join(root, '..', 'archive.tar')
    await dist('images', 'export', archive, 'tiny')
    await dist('images', 'import', '--no-unpack', '--index-name', 'tiny', archive)
    expect(await dist('images', 'rm', 'tiny', 'tiny')).toBe('tiny\ndocker.io/library/tiny:latest\n')
  })
})
