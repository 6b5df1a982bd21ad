import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type TempDir, tempDir } from '@nsbox/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { failure } from '../testing/failure.ts'
import { dockerCredentials } from './docker-credentials.ts'

let directory: TempDir
beforeEach(async () => {
  directory = await tempDir('nsbox-docker')
  await mkdir(join(directory.path, 'bin'))
  vi.stubEnv('PATH', `${join(directory.path, 'bin')}:${process.env.PATH}`)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await directory[Symbol.asyncDispose]()
})

const configure = (config: unknown) =>
  writeFile(join(directory.path, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config))
const ask = (host: string, options: { helperTimeout?: number; signal?: AbortSignal } = {}) =>
  dockerCredentials({ configDir: directory.path, ...options })({ host, challenges: [] }, options)
const auth = (text: string) => Buffer.from(text).toString('base64')
const basic = (username: string, password: string) => ({ kind: 'basic', username, password })

/** A credential helper that notes what it is asked for. */
async function helper(name: string, script: string): Promise<() => Promise<string>> {
  const path = join(directory.path, 'bin', `docker-credential-${name}`)
  const log = join(directory.path, `${name}.log`)
  await writeFile(path, `#!/bin/sh\nread server\necho "$1 $server" >> ${log}\n${script}\n`)
  await chmod(path, 0o755)
  return () => readFile(log, 'utf8')
}

const answer = (username: string, secret: string) =>
  `echo '${JSON.stringify({ ServerURL: 'x', Username: username, Secret: secret })}'`

describe('credentials in the file itself', () => {
  it('are a name and a password, a refresh token, or a token for the registry', async () => {
    await configure({
      auths: {
        'a.test': { auth: auth('ann:sesame:1') },
        'b.test:5000': { username: 'bob', password: 'x' },
        'c.test': { auth: auth('ann:x'), identitytoken: 'refresh' },
        'd.test': { registrytoken: 'token' },
        'e.test': {},
        'f.test': { auth: auth('ann:padded\0\0') },
      },
    })
    expect(await ask('a.test')).toEqual(basic('ann', 'sesame:1'))
    expect(await ask('b.test:5000')).toEqual(basic('bob', 'x'))
    expect(await ask('c.test')).toEqual({ kind: 'refresh', token: 'refresh' })
    expect(await ask('d.test')).toEqual({ kind: 'header', authorization: 'Bearer token' })
    expect(await ask('e.test')).toBeUndefined()
    expect(await ask('f.test')).toEqual(basic('ann', 'padded'))
    expect(await ask('b.test')).toBeUndefined()
  })

  it('are found under the address that Docker Hub is filed under, and old forms of others', async () => {
    await configure({
      auths: {
        'https://index.docker.io/v1/': { auth: auth('hub:x') },
        'https://a.test/v1/': { auth: auth('old:x') },
        'http://b.test:5000': { auth: auth('bob:x') },
      },
    })
    expect(await ask('docker.io')).toEqual(basic('hub', 'x'))
    expect(await ask('a.test')).toEqual(basic('old', 'x'))
    expect(await ask('b.test:5000')).toEqual(basic('bob', 'x'))
    expect(await ask('index.docker.io')).toEqual(basic('hub', 'x'))
  })

  it('are none without a file, and for hosts named like properties of objects', async () => {
    expect(await ask('a.test')).toBeUndefined()
    await configure({ auths: {} })
    for (const host of ['constructor', '__proto__', 'toString']) expect(await ask(host)).toBeUndefined()
  })

  it('are read anew each time, from where DOCKER_CONFIG says', async () => {
    vi.stubEnv('DOCKER_CONFIG', directory.path)
    const source = dockerCredentials()
    expect(await source({ host: 'a.test', challenges: [] })).toBeUndefined()
    await configure({ auths: { 'a.test': { auth: auth('ann:x') } } })
    expect(await source({ host: 'a.test', challenges: [] })).toEqual(basic('ann', 'x'))
  })

  it('C06 are not part of the error about a file that makes no sense', async () => {
    await configure(`{"auths": {"a.test": {"auth": "sesame`)
    const error = await failure(ask('a.test'))
    expect(error).toMatchObject({ code: 'invalid_argument' })
    expect(`${error.message}${error.cause}`).not.toContain('sesame')
    await configure({ auths: { 'a.test': { auth: auth('sesame') } } })
    expect(await failure(ask('a.test'))).toMatchObject({ code: 'invalid_argument' })
    await configure(' '.repeat(2 * 1024 * 1024))
    expect(await failure(ask('a.test'))).toMatchObject({ code: 'invalid_argument' })
  })
})

describe('a credential helper', () => {
  it('E09 that answers and fails has its answer shown to nobody', async () => {
    await helper('odd', `${answer('ann', 'sesame')}; exit 3`)
    await configure({ credsStore: 'odd' })
    const error = await failure(ask('a.test'))
    expect(error).toMatchObject({ code: 'failed_precondition' })
    expect(error.message).toContain('exit status 3')
    expect(error.message).not.toContain('sesame')
  })

  it('is asked for the server, a registry’s own before the general one, and before the file', async () => {
    const own = await helper('own', answer('own', 'x'))
    const general = await helper('general', answer('<token>', 'refresh'))
    await configure({
      credHelpers: { 'a.test': 'own', 'docker.io': 'own' },
      credsStore: 'general',
      auths: { 'a.test': { auth: auth('file:x') } },
    })
    expect(await ask('a.test')).toEqual(basic('own', 'x'))
    expect(await ask('docker.io')).toEqual(basic('own', 'x'))
    expect(await ask('b.test')).toEqual({ kind: 'refresh', token: 'refresh' })
    expect(await own()).toBe('get a.test\nget https://index.docker.io/v1/\n')
    expect(await general()).toBe('get b.test\n')
  })

  it('that has nothing leaves it to the file', async () => {
    await helper('empty', 'echo "credentials not found in native keychain"; exit 1')
    await configure({ credsStore: 'empty', auths: { 'a.test': { auth: auth('file:x') } } })
    expect(await ask('a.test')).toEqual(basic('file', 'x'))
    expect(await ask('b.test')).toBeUndefined()
  })

  it.each(['../../x', 'a b', 'x;touch y', '', '$(id)', 'a/b', 'x'.repeat(200)])(
    'C08 is not started if its name is none: %j',
    async (name) => {
      await configure({ credHelpers: { 'a.test': name } })
      const result = ask('a.test')
      if (name === '') expect(await result).toBeUndefined()
      else expect(await failure(result)).toMatchObject({ code: 'invalid_argument' })
    },
  )

  it('C08 takes nothing of what it is asked for as a command', async () => {
    const asked = await helper('plain', answer('ann', 'x'))
    await configure({ credsStore: 'plain' })
    await ask('a.test;touch$(x)`y`')
    expect(await asked()).toBe('get a.test;touch$(x)`y`\n')
  })

  it.each([
    ['does not exist', undefined],
    ['fails', 'echo "locked"; exit 2'],
    ['is killed', 'kill -9 $$'],
    ['says no JSON', 'echo sesame'],
    ['says too little', 'echo "{}"'],
    ['D20 says too much', 'head -c 1000000 /dev/zero'],
  ])('that %s is failed_precondition', async (_, script) => {
    if (script) await helper('bad', script)
    await configure({ credsStore: 'bad' })
    const error = await failure(ask('a.test'))
    expect(error).toMatchObject({ code: 'failed_precondition' })
    expect(error.message).not.toContain('sesame')
  })

  it('D20 that takes too long is killed with what it started', async () => {
    const pids = join(directory.path, 'pids')
    await helper('slow', `sleep 60 &\necho $$ $! > ${pids}\nwait`)
    await configure({ credsStore: 'slow' })
    expect(await failure(ask('a.test', { helperTimeout: 1_500 }))).toMatchObject({ code: 'unavailable' })
    await gone(pids)
  })

  it('is killed when the wait for it is aborted', async () => {
    const pids = join(directory.path, 'pids')
    await helper('slow', `sleep 60 &\necho $$ $! > ${pids}\nwait`)
    await configure({ credsStore: 'slow' })
    const controller = new AbortController()
    const asked = ask('a.test', { signal: controller.signal })
    void started(pids).then(() => controller.abort(new Error('enough')))
    await expect(asked).rejects.toThrow('enough')
    await gone(pids)
  })
})

async function started(file: string): Promise<void> {
  while (!(await readFile(file, 'utf8').catch(() => '')).includes('\n')) await delay(20)
}

async function gone(file: string): Promise<void> {
  const pids = (await readFile(file, 'utf8')).trim().split(' ').map(Number)
  expect(pids).toHaveLength(2)
  const isAlive = async (pid: number) => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    return stat !== '' && !/\) [ZX] /.test(stat)
  }
  for (let attempt = 0; attempt < 100; attempt++) {
    if ((await Promise.all(pids.map(isAlive))).every((alive) => !alive)) return
    await delay(20)
  }
  expect.unreachable('the helper should be gone')
}
