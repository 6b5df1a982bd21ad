import { connect } from '@nsbox/client'
import { digestOf, mediaTypes } from '@nsbox/oci'
import {
  buildImage,
  busyboxLayer,
  pushImage,
  type RunningProcess,
  run,
  startContainerd,
  startProcess,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from './command-host.ts'
import { program, startServer } from './programs.ts'

/** Lines without what stock `ctr` fills their ends with. */
const lines = (text: string) => text.split('\n').map((line) => line.trimEnd())

/** Lines of a table whose ages may differ: the two programs look at different moments. */
const agelessLines = (text: string) =>
  lines(text.replace(/\t(\d+ seconds?|Less than a second|AGE)\t+/g, '\tAGE\t'))

describeWith(
  { root: true, programs: ['containerd', 'ctr', 'docker-registry', 'skopeo'] },
  'the clients',
  () => {
    const resources = new AsyncDisposableStack()
    const addresses: Record<string, string> = {}
    let reference: string

    beforeAll(async () => {
      const registry = resources.use(await startRegistry())
      const layout = resources.use(await tempDir('nsbox-layout')).path
      const image = await buildImage(layout, { layers: [await busyboxLayer()] })
      reference = (await pushImage(image, registry, 'library/busybox:1')).reference
      addresses['nsbox-server'] = resources.use(await startServer()).address
      addresses.containerd = resources.use(await startContainerd()).address
    })

    afterAll(() => resources.disposeAsync())

    describe.each(['nsbox-server', 'containerd'])('against %s', (server) => {
      const ours = (name: 'ctr' | 'dist', ...args: string[]) =>
        runCommand(name, ['-a', addresses[server]!, ...args])
      const stock = (...args: string[]) => run('/usr/bin/ctr', ['-a', addresses[server]!, ...args])

      it('fetch an image, and show the same tables as stock ctr', async () => {
        expect(await ours('ctr', 'content', 'fetch', reference)).toMatchObject({ code: 0 })
        for (const args of [
          ['images', 'ls'],
          ['images', 'ls', '-q'],
          ['images', 'check'],
          ['content', 'ls', '-q'],
          ['namespaces', 'ls'],
          ['content', 'ls'],
          ['content', 'active'],
        ]) {
          const [mine, theirs] = [await ours('ctr', ...args), await stock(...args)]
          expect({ args, lines: agelessLines(mine.stdout) }).toEqual({
            args,
            lines: agelessLines(theirs.stdout),
          })
        }
      })

      it('ingest, get, label, edit and remove blobs', async () => {
        const digest = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
        const ingest = [
          ...['-a', addresses[server]!, 'content', 'ingest'],
          ...['--expected-size', '5', '--expected-digest', digest, 'greeting'],
        ]
        const held = await ours('ctr', 'leases', 'create', '--id', 'ingest')
        expect(held).toMatchObject({ code: 0, stdout: 'ingest\n' })
        expect(await runCommand('ctr', ingest, { input: 'hello' })).toMatchObject({ code: 0 })
        expect(await ours('ctr', 'content', 'label', digest, 'containerd.io/gc.root=yes')).toMatchObject({
          stdout: 'containerd.io/gc.root=yes\n',
        })
        expect(await ours('dist', 'content', 'get', digest)).toMatchObject({ stdout: 'hello' })
        const edited = await ours('ctr', 'content', 'edit', '--editor', `sed -i s/hello/goodbye/`, digest)
        expect(edited.stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/)
        expect(await ours('ctr', 'content', 'rm', digest)).toMatchObject({ code: 0, stdout: `${digest}\n` })
        expect(await ours('ctr', 'content', 'get', digest)).toMatchObject({
          code: 1,
          // Stock containerd says `content digest` here.
          stderr: expect.stringMatching(new RegExp(`^ctr: content (digest )?${digest}: not found\n$`)),
        })
      })

      it('show all images although one cannot be read, and say which', async () => {
        await using client = await connect({ address: addresses[server]!, namespace: 'default' })
        const bytes = Buffer.from('{"schemaVersion":2,"config":[]}')
        const digest = digestOf(bytes)
        const target = { mediaType: mediaTypes.ociManifest, digest, size: bytes.length }
        await using lease = await client.createLease()
        await using writer = await lease.client.content.writer({ ref: 'odd', expected: digest })
        await writer.write(bytes)
        await writer.commit({ expected: digest })
        await client.images.create({ name: 'odd/image:1', target })
        try {
          for (const command of ['ls', 'check']) {
            const { code, stdout, stderr } = await ours('ctr', 'images', command)
            expect({ code, stderr }).toEqual({
              code: 0,
              stderr: expect.stringMatching(/^image odd\/image:1: /),
            })
            expect(stdout).toContain(reference)
            expect(stdout).toMatch(/^odd\/image:1 /m)
          }
        } finally {
          await client.images.delete('odd/image:1')
        }
      })

      it('tag, label and remove images', async () => {
        expect(await ours('ctr', 'images', 'tag', reference, `${reference}0`)).toMatchObject({
          stdout: `${reference}0\n`,
        })
        expect(await ours('ctr', 'images', 'tag', reference, `${reference}0`)).toMatchObject({
          code: 1,
          stderr: `ctr: image "${reference}0": already exists\n`,
        })
        expect(await ours('ctr', 'images', 'label', `${reference}0`, 'a=1', 'b=2')).toMatchObject({
          stdout: 'a=1,b=2\n',
        })
        expect(await ours('dist', 'images', 'rm', '--sync', `${reference}0`, 'absent')).toMatchObject({
          code: 0,
          stdout: `${reference}0\n`,
          stderr: 'docker.io/library/absent:latest: image not found\n',
        })
      })

      it('end quietly when nobody reads their output, and with an error when it cannot be written', async () => {
        const shell = (script: string) =>
          run('/bin/bash', ['-c', script, program('dist'), addresses[server]!])
        const unread = await shell('set -o pipefail; "$0" -a "$1" images ls | true')
        expect(unread).toMatchObject({ code: 141, stderr: '' })
        const full = await shell('"$0" -a "$1" images ls > /dev/full')
        expect(full).toMatchObject({ code: 1, stderr: expect.stringMatching(/^dist: ENOSPC[^\n]*\n$/) })
      })

      it('print events as stock ctr does', async () => {
        const args = ['-a', addresses[server]!, 'events', 'topic~=/namespaces/']
        const watch = (command: string) => startProcess(command, args, { ready: /\/create .*\n/ })
        let watching = true
        const watched = Promise.all([watch(program('ctr')), watch('/usr/bin/ctr')]).finally(() => {
          watching = false
        })
        // An event is seen by those who have subscribed by then.
        while (watching) {
          await ours('ctr', 'namespaces', 'create', 'watched', 'a=b')
          await ours('ctr', 'namespaces', 'rm', 'watched')
        }
        const [mine, theirs] = await watched
        await Promise.all([mine.stop(), theirs.stop()])
        const tail = ({ output }: RunningProcess) => / UTC (.*\/create.*)\n/.exec(output)?.[1]
        expect(tail(mine)).toBe('watched /namespaces/create {"name":"watched","labels":{"a":"b"}}')
        expect(tail(theirs)).toBe(tail(mine))
      })

      it.each([
        [
          ['-n', 'not/valid', 'images', 'ls'],
          /namespace validation: identifier "not\/valid" must match .*invalid argument/,
        ],
        [['namespaces', 'create', 'x y'], /identifier "x y" must match .*: invalid argument/],
        [
          ['namespaces', 'create', 'big', `a=${'x'.repeat(4096)}`],
          /greater than maximum size \(4096 bytes\), key: a: invalid argument/,
        ],
        [['images', 'ls', 'name=='], /filters: parse error: .*: invalid argument/],
        [['content', 'fetch', 'UPPER'], /invalid reference "UPPER".*: invalid argument/],
        [['content', 'get', 'sha256:abc'], /invalid digest "sha256:abc": invalid argument/],
      ])('refuse %j with a clear error and exit status 1', async (args, message) => {
        const { code, stderr } = await ours('ctr', ...args)
        expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(message) })
        expect(stderr).toMatch(/^ctr: /)
      })
    })

    it('run the server inside their own process when there is no other on the root', async () => {
      await using root = await tempDir('nsbox-embedded')
      const env = { CONTAINERD_ADDRESS: undefined, XDG_RUNTIME_DIR: root.path }
      const dist = (...args: string[]) => runCommand('dist', ['--root', root.path, ...args], { env })
      expect(await dist('pull', reference)).toMatchObject({ code: 0 })
      expect(await dist('images', 'ls', '-q')).toMatchObject({ code: 0, stdout: `${reference}\n` })
      await using server = await startServer({ root: root.path })
      // The one that has the root serves.
      expect(await dist('images', 'set-labels', reference, 'set=by-the-server')).toMatchObject({ code: 0 })
      expect((await server.ctr(['images', 'ls'])).stdout).toContain('set=by-the-server')
      expect((await server.dist(['images', 'ls', '-q'])).stdout).toBe(`${reference}\n`)
    })
  },
)
