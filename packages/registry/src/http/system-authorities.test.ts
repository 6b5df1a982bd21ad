import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { errorCode } from '@nsbox/errors'
import { makeCertificate, needs, type TempDir, tempDir } from '@nsbox/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSystemAuthorities } from './system-authorities.ts'

const missing = needs({ programs: ['openssl'] })

describe.skipIf(missing)(`authorities of the system${missing ? ` (${missing})` : ''}`, () => {
  let directory: TempDir
  let own: string
  const at = (name: string) => join(directory.path, name)
  const nothing = { env: {}, files: [], directories: [] }

  beforeAll(async () => {
    directory = await tempDir('nsbox-authorities')
    own = (await readFile((await makeCertificate(directory.path)).cert, 'utf8')).trim()
    await mkdir(at('store'))
    const damaged = own.replace(/\n\w{4}/, '\nAAAA')
    await writeFile(at('bundle.crt'), `# all\n${rootCertificates.join('\n')}\n${damaged}\n${own}\n`)
    await writeFile(at('store/own.pem'), own)
    await symlink('own.pem', at('store/0123abcd.0'))
    await symlink('nowhere', at('store/89abcdef.0'))
    await symlink('..', at('store/up'))
  })
  afterAll(() => directory?.[Symbol.asyncDispose]())

  it('are those of the first file that there is, without what Node has and what is damaged', async () => {
    const files = [at('nowhere.crt'), at('bundle.crt'), at('store')]
    expect(await readSystemAuthorities({ ...nothing, files })).toEqual([own])
  })

  it('are those of the first directory, each once, where there is no file', async () => {
    const places = { env: {}, files: [at('nowhere.crt')], directories: [at('nowhere'), at('store')] }
    expect(await readSystemAuthorities(places)).toEqual([own])
    expect(await readSystemAuthorities(nothing)).toEqual([])
  })

  it('give way to those that the environment names', async () => {
    const files = [at('bundle.crt')]
    await writeFile(at('empty.crt'), '')
    const named = (env: Record<string, string>) => readSystemAuthorities({ ...nothing, files, env })
    expect(await named({ SSL_CERT_FILE: at('empty.crt') })).toEqual([])
    expect(await named({ SSL_CERT_FILE: at('empty.crt'), SSL_CERT_DIR: at('store') })).toEqual([own])
    expect(await named({ SSL_CERT_FILE: at('empty.crt'), NODE_EXTRA_CA_CERTS: at('bundle.crt') })).toEqual([
      own,
    ])
    for (const variable of ['SSL_CERT_FILE', 'SSL_CERT_DIR'])
      expect(await named({ [variable]: at('nowhere') }).catch(errorCode)).toBe('not_found')
  })

  it('are bounded', async () => {
    await writeFile(at('large.crt'), Buffer.alloc((8 << 20) + 1, 'x'))
    const env = { SSL_CERT_FILE: at('large.crt') }
    expect(await readSystemAuthorities({ ...nothing, env }).catch(errorCode)).toBe('invalid_argument')
  })
})
