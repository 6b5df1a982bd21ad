import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { withTempMount } from '@nsbox/mount'
import {
  buildImage,
  busyboxLayer,
  filesLayer,
  pushImage,
  run,
  runOrThrow,
  startContainerd,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from './command-host.ts'
import { program, startServer } from './programs.ts'

/** Lines without what stock `ctr` fills their ends with, and times as far as both tell them. */
const lines = (text: string) =>
  text.split('\n').map((line) => line.trimEnd().replace(/(\d\d:\d\d:\d\d)(\.\d+)?Z/g, 'TIME'))

interface PrintedMount {
  readonly Type: string
  readonly Source: string
  readonly Options: readonly string[]
}

const mountsOf = (json: string) =>
  (JSON.parse(json) as PrintedMount[]).map(({ Type, Source, Options }) => ({
    type: Type,
    source: Source,
    options: Options,
  }))

describeWith(
  { root: true, programs: ['containerd', 'ctr', 'docker-registry', 'skopeo'] },
  'the snapshot commands',
  () => {
    const resources = new AsyncDisposableStack()
    const addresses: Record<string, string> = {}
    let reference: string
    let directory: string

    beforeAll(async () => {
      directory = resources.use(await tempDir('nsbox-mounts')).path
      const registry = resources.use(await startRegistry())
      const layout = resources.use(await tempDir('nsbox-layout')).path
      const layers = [await busyboxLayer(), filesLayer({ 'etc/top': 'top' })]
      const image = await buildImage(layout, { layers })
      reference = (await pushImage(image, registry, 'library/busybox:1')).reference
      addresses['nsbox-server'] = resources.use(await startServer()).address
      addresses.containerd = resources.use(await startContainerd()).address
    })

    afterAll(() => resources.disposeAsync())

    describe.each(['nsbox-server', 'containerd'])('against %s', (server) => {
      const address = () => ['-a', addresses[server]!]
      const ours = (...args: string[]) => runCommand('ctr', [...address(), ...args])
      const stock = (...args: string[]) => run('/usr/bin/ctr', [...address(), ...args])
      let top: string
      let base: string

      beforeAll(async () => {
        await runOrThrow('/usr/bin/ctr', [...address(), 'images', 'pull', '--plain-http', reference])
        const { stdout } = await stock('snapshots', 'ls')
        top = /^(\S+) +(sha256:\S+) +Committed/m.exec(stdout)![1]!
        base = /^(\S+) +(sha256:\S+) +Committed/m.exec(stdout)![2]!
      })

      /** Has stock `ctr` run the same command, and holds the two outputs against each other. */
      async function same(...args: string[]): Promise<void> {
        const [mine, theirs] = await Promise.all([ours(...args), stock(...args)])
        expect({ args, code: mine.code, stdout: lines(mine.stdout), stderr: mine.stderr }).toEqual({
          args,
          code: theirs.code,
          stdout: lines(theirs.stdout),
          stderr: theirs.stderr,
        })
      }

      it('make, show, label, commit and remove snapshots as stock ctr does', async () => {
        const prepared = await ours('snapshots', 'prepare', '--mounts', '-t', '/mnt/x', 'active', top)
        expect(prepared).toMatchObject({ code: 0, stderr: '' })
        const [command, ...json] = prepared.stdout.split('\n')
        expect(command).toBe((await stock('snapshots', 'mounts', '/mnt/x', 'active')).stdout.trimEnd())
        await withTempMount(mountsOf(json.join('\n')), async (path) => {
          expect(await readFile(join(path, 'etc/top'), 'utf8')).toBe('top')
          await writeFile(join(path, 'etc/new'), 'new')
        })
        const target = join(directory, server)
        await mkdir(target)
        const temporary = await ours('snapshots', 'mounts', '--temp', target, 'active')
        expect(temporary).toMatchObject({ code: 0, stderr: '' })
        // Containerd 1.7 does not mount for its clients.
        expect(temporary.stdout).toMatch(server === 'containerd' ? /^mount -t overlay / : /^mount -t bind /)
        await runOrThrow('/bin/sh', ['-c', temporary.stdout])
        expect(await readFile(join(target, 'etc/new'), 'utf8')).toBe('new')
        expect(await ours('images', 'unmount', target)).toMatchObject({ code: 0, stdout: `${target}\n` })
        expect(await readdir(target)).toEqual([])
        const again = await ours('snapshots', 'mounts', '--temp', target, 'active')
        expect(again).toMatchObject({ code: 0, stdout: temporary.stdout })
        expect(await ours('images', 'unmount', target)).toMatchObject({ code: 0, stderr: '' })
        expect(await ours('snapshots', 'prepare', 'empty')).toMatchObject({ code: 0, stdout: '' })
        const viewed = await ours('snapshots', 'view', '--mounts', 'view', top)
        await withTempMount(mountsOf(viewed.stdout), async (path) => {
          await expect(writeFile(join(path, 'new'), '')).rejects.toMatchObject({ code: 'EROFS' })
        })
        const shown = [
          ['ls'],
          ['tree'],
          ['usage'],
          ['usage', '-b'],
          ['usage', 'active', 'empty'],
          ['mounts', '/mnt', 'active'],
          ['m', '/mnt', 'view'],
          ['info', 'active'],
          ['info', 'view'],
          ['info', top],
          ['--snapshotter', 'native', 'ls'],
        ]
        await Promise.all(shown.map((args) => same('snapshots', ...args)))

        expect(await ours('snapshots', 'commit', 'committed', 'active')).toMatchObject({
          code: 0,
          stdout: '',
        })
        await same('snapshots', 'info', 'committed')
        const labelled = await ours(
          'snapshots',
          'label',
          'committed',
          'b=2',
          'a=1',
          'containerd.io/gc.root=yes',
        )
        expect(labelled.stdout).toBe('a=1,b=2,containerd.io/gc.root=yes\n')
        expect((await ours('snapshots', 'label', 'committed', 'b=')).stdout).toBe(
          'a=1,containerd.io/gc.root=yes\n',
        )
        await same('snapshots', 'info', 'committed')
        for (const key of ['view', 'empty', 'committed'])
          expect(await ours('snapshots', 'rm', key)).toMatchObject({ code: 0, stdout: '' })
        await same('snapshots', 'ls')
        expect(JSON.parse((await ours('snapshots', 'ls', '--json', 'kind==committed')).stdout)).toMatchObject(
          [
            { name: expect.stringMatching(/^sha256:/), kind: 'committed' },
            { name: expect.stringMatching(/^sha256:/), kind: 'committed' },
          ],
        )
      })

      it('write the layer that makes one snapshot of another', async () => {
        await ours('snapshots', 'prepare', 'changed', top)
        const { stdout } = await stock('snapshots', 'mounts', '/mnt', 'changed')
        const options = stdout.trimEnd().split(' ').at(-1)!.split(',')
        await withTempMount([{ type: 'overlay', source: 'overlay', options }], (path) =>
          writeFile(join(path, 'etc/new'), 'new'),
        )
        const names = async (...args: string[]) => {
          await using out = await tempDir()
          const file = join(out.path, 'layer')
          const script = `exec "$0" "$@" > ${JSON.stringify(file)}`
          const command = [program('ctr'), ...address(), 'snapshots', 'diff', ...args]
          await runOrThrow('/bin/sh', ['-c', script, ...command])
          const bytes = await readFile(file)
          await writeFile(`${file}.tar`, bytes[0] === 0x1f ? gunzipSync(bytes) : bytes)
          const names = (await runOrThrow('tar', ['-tf', `${file}.tar`])).stdout.trim().split('\n')
          // Only one of the servers tells the attributes of the root.
          return names.filter((name) => name !== './')
        }
        const mediaType = 'application/vnd.oci.image.layer.v1.tar'
        expect(await names('changed')).toEqual(['etc/', 'etc/new'])
        expect(await names('--media-type', mediaType, top, base)).toEqual(['etc/', 'etc/.wh.top'])
        const before = (await stock('content', 'ls', '-q')).stdout
        expect(await names('--keep', '--label', 'a=b', '--ref', 'x', base, 'changed')).toEqual([
          'etc/',
          'etc/new',
          'etc/top',
        ])
        const kept = (await stock('content', 'ls', 'labels.a==b', '-q')).stdout
        expect(before).not.toContain(kept)
        const { stdout: blobs } = await ours('content', 'ls', 'labels.a==b')
        expect(blobs).toMatch(/a=b,containerd\.io\/gc\.root=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/)
        await ours('snapshots', 'rm', 'changed')
        // The views that were made for it are gone.
        expect((await ours('snapshots', 'ls')).stdout.split('\n')).toHaveLength(4)
      })

      it.each([
        [['info', 'none'], /^ctr: snapshot none does not exist: not found\n$/],
        [['info'], /^ctr: missing required argument 'key'\n$/],
        [['mounts', '/mnt', 'none'], /^ctr: .*none.*: not found\n$/],
        [['prepare', 'key', 'none'], /^ctr: parent snapshot none does not exist: not found\n$/],
        [['view', ''], /^ctr: snapshot key must not be empty: invalid argument\n$/],
        [['prepare', 'key', '', '--mounts', '--bad'], /^ctr: unknown option '--bad'\n$/],
        [['commit', 'name', 'none'], /^ctr: .*: not found\n$/],
        [['rm', 'none'], /^ctr: failed to remove "none": snapshot none does not exist: not found\n$/],
        [['label', 'none', 'a=b'], /^ctr: snapshot none does not exist: not found\n$/],
        [['usage', 'none'], /^ctr: snapshot none does not exist: not found\n$/],
        [['diff', 'none'], /^ctr: snapshot none does not exist: not found\n$/],
        [['ls', 'kind=='], /^ctr: filters: parse error: .*kind==.*\n$/],
        [['--snapshotter', 'nowhere', 'ls'], /^ctr: snapshotter not loaded: nowhere: invalid argument\n$/],
      ])('refuse %j with a clear error and exit status 1', async (args, message) => {
        const { code, stdout, stderr } = await ours('snapshots', ...args)
        expect({ code, stdout, stderr }).toEqual({
          code: 1,
          stdout: '',
          stderr: expect.stringMatching(message),
        })
      })

      it('work with the snapshotter that an option, the environment or the namespace names', async () => {
        await ours('namespaces', 'create', 'choosing', 'containerd.io/defaults/snapshotter=missing-1')
        const named = async (args: string[], env = {}) =>
          (await runCommand('ctr', [...address(), '-n', 'choosing', ...args, 'snapshots', 'ls'], { env }))
            .stderr
        expect(await named([])).toContain('missing-1')
        expect(await named([], { CONTAINERD_SNAPSHOTTER: 'missing-2' })).toContain('missing-2')
        const both = await named(['--snapshotter', 'missing-3'], { CONTAINERD_SNAPSHOTTER: 'missing-2' })
        expect(both).toContain('missing-3')
        await ours('namespaces', 'rm', 'choosing')
      })
    })
  },
)
