import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type RunOptions, startProcess, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startServer, type TestServer } from './programs.ts'

const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`

/** The columns of a table, whose widths differ between lists. */
const rows = (table: string) =>
  table
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/\s{2,}|\t+/))

describeWith({ programs: ['ctr'] }, 'stock ctr 1.7', () => {
  let resources: AsyncDisposableStack
  let server: TestServer

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    server = resources.use(await startServer())
  })
  afterEach(() => resources.disposeAsync())

  /** What it prints on standard output, where it succeeds. */
  async function ctr(args: string[], options?: RunOptions): Promise<string> {
    const { code, stdout, stderr } = await server.stockCtr(args, options)
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' })
    return stdout
  }

  /** What it says on standard error, where it fails. */
  async function refused(args: string[], options?: RunOptions): Promise<string> {
    const { code, stderr } = await server.stockCtr(args, options)
    expect({ args, code }).toEqual({ args, code: 1 })
    return stderr.trim()
  }

  /** Makes a blob that stays without an image. */
  async function ingest(text: string): Promise<string> {
    // A collection that earlier calls have asked for could come between the two calls, as it could in containerd.
    await ctr(['leases', 'create', '--id', `quiet-${text}`])
    await ctr(['leases', 'delete', '--sync', `quiet-${text}`])
    await ctr(['content', 'ingest', `key-${text}`], { input: text })
    await ctr(['content', 'label', digestOf(text), 'containerd.io/gc.root=now'])
    return digestOf(text)
  }

  it('tells versions, identity and plugins', async () => {
    expect(await ctr(['version'])).toMatch(/Server:\n {2}Version: +\d+\.\d+\.\d+\n/)
    expect(JSON.parse(await ctr(['info']))).toMatchObject({ server: { pid: server.process.pid } })
    expect(rows(await ctr(['plugins', 'ls']))).toContainEqual(['io.containerd.gc.v1', 'scheduler', '-', 'ok'])
    const one = rows(await ctr(['plugins', 'ls', 'type==io.containerd.transfer.v1']))
    expect(one.slice(1)).toEqual([['io.containerd.transfer.v1', 'local', '-', 'ok']])
  })

  it('makes, labels, lists and removes namespaces', async () => {
    await ctr(['namespaces', 'create', 'foo', 'a=b'])
    await ctr(['namespaces', 'label', 'foo', 'c=d', 'a='])
    expect(rows(await ctr(['namespaces', 'ls']))).toEqual([['NAME LABELS'], ['foo', 'c=d']])
    expect(await refused(['namespaces', 'create', 'foo'])).toBe('ctr: namespace "foo": already exists')
    expect(await refused(['namespaces', 'create', 'a..'])).toMatch(
      /^ctr: identifier "a\.\." must match .*: invalid argument$/,
    )
    expect(await ctr(['namespaces', 'rm', 'foo'])).toBe('foo\n')
    expect(await ctr(['namespaces', 'ls', '-q'])).toBe('')
  })

  it('needs a namespace and refuses one that is none', async () => {
    expect(await refused(['-n', '', 'images', 'ls'])).toContain('namespace is required: failed precondition')
    expect(await refused(['-n', 'a/b', 'images', 'ls'])).toContain(
      'namespace validation: identifier "a/b" must match',
    )
  })

  it('ingests, gets, lists, labels, edits and removes content', async () => {
    const digest = await ingest('hello')
    expect(await ctr(['content', 'get', digest])).toBe('hello')
    expect(await ctr(['content', 'label', digest, 'x=y'])).toContain('x=y')
    const [head, row] = rows(await ctr(['content', 'ls']))
    expect(head).toEqual(['DIGEST', 'SIZE', 'AGE', 'LABELS'])
    expect(row).toEqual([digest, '5B', expect.any(String), 'containerd.io/gc.root=now,x=y'])
    expect(await ctr(['content', 'ls', '-q', 'labels.x==y'])).toBe(`${digest}\n`)

    const editor = join(resources.use(await tempDir('nsbox-editor')).path, 'editor')
    await writeFile(editor, '#!/bin/sh\nprintf edited > "$1"\n')
    await chmod(editor, 0o755)
    await ctr(['content', 'edit', digest], { env: { EDITOR: editor } })
    expect((await ctr(['content', 'ls', '-q'])).split('\n')).toContain(digestOf('edited'))

    expect(await ctr(['content', 'rm', digest])).toBe(`${digest}\n`)
    expect(await refused(['content', 'get', digest])).toBe(`ctr: content ${digest}: not found`)
  })

  it('holds an ingest against what was expected of it', async () => {
    const wrongDigest = ['content', 'ingest', '--expected-digest', digestOf('other'), 'k']
    expect(await refused(wrongDigest, { input: 'hello' })).toMatch(
      /unexpected commit digest .*: failed precondition/,
    )
    expect(rows(await ctr(['content', 'active']))[1]).toEqual(['k', '5B', expect.any(String)])
    const wrongSize = ['content', 'ingest', '--expected-size', '7', 'l']
    expect(await refused(wrongSize, { input: 'hello' })).toMatch(/: failed precondition|unexpected EOF/)
    expect(await ctr(['content', 'ls', '-q'])).toBe('')
  })

  it('does not hang where a write is refused early', async () => {
    const digest = await ingest('hello')
    const again = ['content', 'ingest', '--expected-size', '5', '--expected-digest', digest, 'again']
    // It takes "already exists" for success.
    await ctr(again, { input: 'hello', timeout: 60_000 })
    const malformed = ['content', 'ingest', '--expected-digest', 'sha256:abc', 'x']
    await refused(malformed, { input: 'x'.repeat(5_000_000), timeout: 60_000 })
  })

  it('gets a ref as soon as the one that holds it has died', async () => {
    // Its standard input stays open and says nothing.
    const holder = spawn('/usr/bin/ctr', ['-a', server.address, 'content', 'ingest', 'held'], {
      stdio: 'pipe',
    })
    resources.defer(() => void holder.kill('SIGKILL'))
    await expect.poll(() => ctr(['content', 'active'])).toContain('held')
    const second = ctr(['content', 'ingest', 'held'], { input: 'mine' })
    await setTimeout(300)
    holder.kill('SIGKILL')
    await second
    expect(await ctr(['content', 'ls', '-q'])).toBe(`${digestOf('mine')}\n`)
  })

  it('makes, lists and deletes leases', async () => {
    expect(await ctr(['leases', 'create', '--id', 'l1', '--expires', '1h', 'x=y'])).toBe('l1\n')
    expect(await ctr(['leases', 'ls'])).toMatch(/l1 \S+ containerd\.io\/gc\.expire=\S+,x=y/)
    expect(await ctr(['leases', 'ls', '-q', 'labels.x==y'])).toBe('l1\n')
    await ctr(['leases', 'delete', '--sync', 'l1'])
    expect(await refused(['leases', 'delete', 'l1'])).toBe('ctr: lease "l1": not found')
  })

  it('sees events as they happen', async () => {
    const events = await startProcess('/usr/bin/ctr', ['-a', server.address, 'events'])
    resources.defer(() => events.stop())
    // The subscription begins some time after the start, and nothing tells when.
    for (let i = 0; !events.output.includes('/namespaces/create'); i++) {
      expect(i).toBeLessThan(100)
      await ctr(['namespaces', 'create', `seen-${i}`])
    }
    await ctr(['namespaces', 'label', 'seen-0', 'a=b'])
    const digest = await ingest('gone')
    await ctr(['content', 'rm', digest])
    await events.waitForOutput(/content\/delete/)
    expect(events.output).toMatch(/^\S+ \S+ \+0000 UTC seen-\d+ \/namespaces\/create \{"name":"seen-\d+"\}$/m)
    expect(events.output).toMatch(/seen-0 \/namespaces\/update \{"name":"seen-0","labels":\{"a":"b"\}\}/)
    expect(events.output).toContain(`default /content/delete {"digest":"${digest}"}`)
  })

  it('lists sandboxes, of which there are none', async () => {
    expect(rows(await ctr(['sandboxes', 'ls']))).toHaveLength(1)
  })
})
