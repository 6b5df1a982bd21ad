import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { WriteAction } from '@nsbox/api/gen/services/content/v1/content_pb'
import { errorCode } from '@nsbox/errors'
import { digestOf } from '@nsbox/oci'
import { describe, expect, test } from 'vitest'
import { startServer } from './start.ts'
import { code, inNamespace, target, useServer } from './testing/use-server.ts'

const used = useServer()

test('a database of a newer version is named, and left as it is', async () => {
  const { root, server } = used()
  await server[Symbol.asyncDispose]()
  const path = join(root, 'metadata.db')
  // The version is in the header (https://sqlite.org/fileformat2.html §1.3.14).
  const bytes = await readFile(path)
  bytes.writeUInt32BE(999, 60)
  await writeFile(path, bytes)
  const refusal = await startServer({ root }).catch((error) => error)
  expect(errorCode(refusal)).toBe('failed_precondition')
  expect(String(refusal)).toMatch(
    /database .*\/metadata\.db has schema version 999, this program knows versions up to \d+: use a newer program/,
  )
  expect((await readFile(path)).equals(bytes)).toBe(true)
})

test.runIf(process.platform === 'linux').each(['io.containerd.runtime.v2.task', 'tasks/bundles'])(
  'a state directory with a task of a newer version in %s is refused by name, and left as it is',
  async (place) => {
    const { root, server } = used()
    await server[Symbol.asyncDispose]()
    const state = join(root, '../state')
    const bundle = join(state, place, 'n/box')
    await mkdir(bundle, { recursive: true })
    for (const path of ['', dirname(place), place, join(place, 'n'), join(place, 'n/box')])
      await chmod(join(state, path), 0o711)
    const path = join(bundle, 'task.json')
    await writeFile(path, '{"format":2}')
    const refusal = await startServer({ root, state }).catch((error) => error)
    expect(errorCode(refusal)).toBe('failed_precondition')
    expect(String(refusal)).toContain(
      `state file "${path}" has format 2, this program knows formats up to 1: use a newer program`,
    )
    expect(await readFile(path, 'utf8')).toBe('{"format":2}')
  },
)

test.runIf(process.platform === 'linux')(
  'a thread for layers starts as soon as a client writes one that it has fetched',
  async () => {
    const { clients } = used()
    const { content } = clients()
    const write = async (ref: string) => {
      const data = Buffer.from(ref)
      const messages = async function* () {
        yield { action: WriteAction.WRITE, ref, data }
      }
      for await (const _ of content.write(messages(), inNamespace('n'))) void _
    }
    const threads = async () => (await readdir('/proc/self/task')).length
    await write('config-sha256:1')
    const before = await threads()
    await write('manifest-sha256:2')
    expect(await threads()).toBe(before)
    await write('layer-sha256:3')
    await expect.poll(threads).toBeGreaterThan(before)
  },
)

describe('a data root', () => {
  test('has one server, which lets go of it', async () => {
    const { root, server } = used()
    const refusal = await startServer({ root }).catch((error) => error)
    expect(errorCode(refusal)).toBe('failed_precondition')
    expect(String(refusal)).toContain(JSON.stringify(root))
    await server[Symbol.asyncDispose]()
    await (await startServer({ root }))[Symbol.asyncDispose]()
  })

  test('keeps everything for the next server', async () => {
    const { clients, resources, root, server } = used()
    await clients().images.create({ image: { name: 'i', labels: { a: 'b' }, target } }, inNamespace('n'))
    await server[Symbol.asyncDispose]()
    const next = resources.use(await startServer({ root }))
    const { image } = await clients(next).images.get({ name: 'i' }, inNamespace('n'))
    expect(image).toMatchObject({ name: 'i', labels: { a: 'b' }, target })
  })

  test('a start that fails lets go of it', async () => {
    const { root, server } = used()
    await server[Symbol.asyncDispose]()
    const address = join(dirname(root), 'file')
    await writeFile(address, '')
    expect(errorCode(await startServer({ root, address }).catch((error) => error))).toBe(
      'failed_precondition',
    )
    await (await startServer({ root }))[Symbol.asyncDispose]()
  })

  test('refuses a program of the runtime with a shim, which would not get it', async () => {
    const { root } = used()
    const both = { runtimeBinary: 'runc', runtimeShim: 'io.containerd.runc.v2' }
    const failure = await startServer({ root: `${root}-other`, durability: 'relaxed', ...both }).catch(
      errorCode,
    )
    expect(failure).toBe('invalid_argument')
    // Its lock and its stores are closed.
    await using _ = await startServer({ root: `${root}-other`, durability: 'relaxed' })
  })

  test('gives its stores to the process that embeds it', async () => {
    const { clients, server } = used()
    await server.metadata.namespaces.create({ name: 'direct' })
    expect((await clients().namespaces.list({})).namespaces.map(({ name }) => name)).toEqual(['direct'])
  })
})

describe('the end', () => {
  test('removes the socket and the temporary state, and may be asked for twice', async () => {
    const { server } = used()
    expect((await stat(server.address)).mode & 0o777).toBe(0o600)
    await Promise.all([server[Symbol.asyncDispose](), server[Symbol.asyncDispose]()])
    await expect(stat(server.address)).rejects.toThrow('ENOENT')
    await expect(stat(dirname(server.address))).rejects.toThrow('ENOENT')
  })

  test('ends subscriptions and waits for calls that end', async () => {
    const { clients, server } = used()
    const { events, content } = clients()
    const subscription = events.subscribe({})[Symbol.asyncIterator]()
    const ended = code(subscription.next())
    let finish = () => {}
    const requests = (async function* () {
      yield { action: WriteAction.WRITE, ref: 'r', data: Buffer.from('hello') }
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      yield { action: WriteAction.COMMIT, offset: 5n }
    })()
    const replies = content.write(requests, inNamespace('n'))[Symbol.asyncIterator]()
    await replies.next()
    const disposing = server[Symbol.asyncDispose]()
    expect(await ended).toBe('Unavailable')
    finish()
    expect((await replies.next()).value?.digest).toBe(digestOf('hello'))
    await replies.return?.()
    await disposing
  })

  test('aborts calls that do not end within a bound', async () => {
    const { clients, server } = used()
    const replies = clients()
      .content.write(
        (async function* () {
          yield { action: WriteAction.STAT, ref: 'r' }
          await new Promise(() => {})
        })(),
        inNamespace('n'),
      )
      [Symbol.asyncIterator]()
    await replies.next()
    const ended = code(replies.next())
    await server[Symbol.asyncDispose]()
    expect(await ended).toBe('Unavailable')
  }, 15_000)
})
