import { once } from 'node:events'
import { mkdir, readdir, stat, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { errorCode, isErrno } from '@nsbox/errors'
import { runOrThrow, tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { makeStdio } from '../task/make-stdio.ts'
import { closeDescriptor, openFifo } from './open-fifo.ts'
import { ProcessStreams } from './process-streams.ts'
import { removeFifos } from './remove-fifos.ts'

const piped = { stdin: true, terminal: false }

/** The id of a process that has ended. */
async function deadPid(): Promise<string> {
  return (await runOrThrow('sh', ['-c', 'echo $$'])).stdout.trim()
}

test('FIFOs are made in a directory that nobody else can enter, and removed with it', async () => {
  await using directory = await tempDir()
  const root = join(directory.path, 'new', 'fifo')
  const io = await makeStdio({ ...piped, fifoDirectory: root })
  const [name] = await readdir(root)
  for (const path of [root, join(root, name!)]) expect((await stat(path)).mode & 0o777).toBe(0o700)
  for (const path of [io.stdin, io.stdout, io.stderr]) {
    const stats = await stat(path)
    expect([stats.isFIFO(), stats.mode & 0o777]).toEqual([true, 0o600])
  }
  await removeFifos([io.stdin, io.stdout, io.stderr])
  expect(await readdir(root)).toEqual([])
})

test.each([
  [{ stdin: false, terminal: false }, ['stderr', 'stdout']],
  [{ stdin: true, terminal: true }, ['stdin', 'stdout']],
  [{ stdin: true, terminal: false, output: 'ignore' }, ['stdin']],
])('of %j there are the FIFOs %j', async (options, names) => {
  await using directory = await tempDir()
  await makeStdio({ ...options, fifoDirectory: directory.path })
  const [name] = await readdir(directory.path)
  expect(await readdir(join(directory.path, name!))).toEqual(names)
})

test('B09 output goes to URIs of known schemes only', async () => {
  const output = 'file:///tmp/log'
  expect(await makeStdio({ output, terminal: false })).toEqual({
    stdin: '',
    stdout: output,
    stderr: output,
    terminal: false,
  })
  for (const refused of ['https://example.com/', '/tmp/log', 'file://host/log', '']) {
    expect(await makeStdio({ output: refused, terminal: false }).catch(errorCode)).toBe('invalid_argument')
  }
})

test('what a client left that has died is removed with the next FIFOs, unless it is in use', async () => {
  await using directory = await tempDir()
  const [used, unused, other] = [`${await deadPid()}-aaaaaa`, `${await deadPid()}-bbbbbb`, 'other']
  for (const name of [used, unused, other]) {
    const path = join(directory.path, name)
    await mkdir(path)
    await runOrThrow('mkfifo', [join(path, 'stdin'), join(path, 'stdout')])
  }
  const reading = await openFifo(join(directory.path, used, 'stdout'), 'read')
  await mkdir(join(directory.path, `${await deadPid()}-cccccc`))
  await makeStdio({ ...piped, fifoDirectory: directory.path })
  const left = await readdir(directory.path)
  expect(left.filter((name) => !name.startsWith(`${process.pid}-`)).sort()).toEqual([used, other].sort())
  await closeDescriptor(reading)
})

test('D08 what has taken the place of a FIFO is neither opened nor removed', async () => {
  await using directory = await tempDir()
  const target = join(directory.path, 'target')
  await runOrThrow('mkfifo', [target])
  const link = join(directory.path, 'link')
  await symlink(target, link)
  expect(await openFifo(link, 'read').catch((error) => isErrno(error, 'ELOOP'))).toBe(true)
  const file = join(directory.path, 'file')
  await writeFile(file, 'kept')
  expect(await openFifo(file, 'read').catch(errorCode)).toBe('failed_precondition')
  await removeFifos([file, link, join(directory.path, 'absent', 'absent')])
  expect((await readdir(directory.path)).sort()).toEqual(['file', 'link', 'target'])
})

test('a server that never comes holds nothing up', async () => {
  await using directory = await tempDir()
  const io = await makeStdio({ ...piped, fifoDirectory: directory.path })
  let ended = 0
  const streams = await ProcessStreams.open(io, async () => {
    ended += 1
  })
  const output = text(streams.stdout!)
  await new Promise((resolve) => streams.stdin!.end('nobody reads this', () => resolve(undefined)))
  await streams.drain()
  expect([await output, ended]).toEqual(['', 1])
  await streams.close()
})

test('output that was written before the end of its process is read to the last byte', async () => {
  await using directory = await tempDir()
  const io = await makeStdio({ ...piped, fifoDirectory: directory.path })
  const streams = await ProcessStreams.open(io, async () => undefined)
  const peer = runOrThrow('sh', ['-c', `cat < '${io.stdin}' > '${io.stderr}'; seq 1 100000 > '${io.stdout}'`])
  const output = text(streams.stdout!)
  streams.stdin!.write('input')
  const [error] = await once(streams.stderr!, 'data')
  await new Promise((resolve) => streams.stdin!.end(() => resolve(undefined)))
  await peer
  await streams.drain()
  expect((await output).split('\n')).toHaveLength(100_001)
  expect(String(error)).toBe('input')
})

test('FIFOs that are gone are an error, and nothing stays open', async () => {
  await using directory = await tempDir()
  const io = await makeStdio({ ...piped, fifoDirectory: directory.path })
  await unlink(io.stdin)
  const before = (await readdir('/proc/self/fd')).length
  const opening = ProcessStreams.open(io, async () => undefined)
  expect(await opening.catch((error) => isErrno(error, 'ENOENT'))).toBe(true)
  await expect.poll(async () => (await readdir('/proc/self/fd')).length).toBe(before)
})
