import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorCode } from '@nsbox/errors'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bindSocket } from './bind-socket.ts'

let directory: string
let path: string
const servers: Server[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsbox-bind-'))
  path = join(directory, 'run', 's.sock')
})
afterEach(async () => {
  for (const server of servers.splice(0)) server.close()
  await rm(directory, { recursive: true })
})

async function bind(): Promise<void> {
  const server = createServer((socket) => socket.destroy())
  await bindSocket(server, path)
  servers.push(server)
}

test('D01 the socket and the directory made for it are the owner’s alone', async () => {
  const umask = process.umask()
  await bind()
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect((await stat(join(directory, 'run'))).mode & 0o777).toBe(0o700)
  expect(process.umask()).toBe(umask)
})

test('a socket that somebody answers on is not taken away', async () => {
  await bind()
  const refusal = await bind().catch((error) => error)
  expect(errorCode(refusal)).toBe('failed_precondition')
  expect(String(refusal)).toContain('in use')
})

test('a socket that a killed process left is replaced', async () => {
  await bind()
  servers.splice(0).forEach((server) => void server.close())
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect((await stat(path)).isSocket()).toBe(true)
  await bind()
})

test('a file that is no socket is never removed', async () => {
  path = join(directory, 'file')
  await writeFile(path, 'precious')
  expect(errorCode(await bind().catch((error) => error))).toBe('failed_precondition')
  expect(await readFile(path, 'utf8')).toBe('precious')
})

test('D02 a path that does not fit into a socket address is refused, not cut off', async () => {
  path = join(directory, 'x'.repeat(108))
  expect(errorCode(await bind().catch((error) => error))).toBe('invalid_argument')
})
