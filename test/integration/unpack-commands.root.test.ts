import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { isMountPoint, unmount } from '@nsbox/mount'
import { digestOf } from '@nsbox/oci'
import {
  buildImage,
  busyboxLayer,
  filesLayer,
  pushImage,
  run,
  runOrThrow,
  startContainerd,
  startRegistry,
  tar,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CommandOptions, runCommand } from './command-host.ts'
import { program, startServer } from './programs.ts'

/** Lines without what stock `ctr` fills their ends with. */
const lines = (text: string) => text.split('\n').map((line) => line.trimEnd())
/** A directory to mount at, in which nothing is left mounted. */
async function mountPlace(): Promise<{ path: string } & AsyncDisposable> {
  const directory = await tempDir()
  const path = join(directory.path, 'mount')
  await mkdir(path)
  return {
    path,
    async [Symbol.asyncDispose]() {
      await unmount(path, { recursive: true })
      await directory[Symbol.asyncDispose]()
    },
  }
}

describeWith(
  { root: true, programs: ['containerd', 'ctr', 'docker-registry', 'skopeo'] },
  'the commands that unpack',
  () => {
    const resources = new AsyncDisposableStack()
    const addresses: Record<string, string> = {}
    let reference: string
    let chainId: string
    let target: string

    beforeAll(async () => {
      const registry = resources.use(await startRegistry())
      const layout = resources.use(await tempDir('nsbox-layout')).path
      const layers = [await busyboxLayer(), filesLayer({ 'etc/top': 'top' })]
      const image = await buildImage(layout, { layers })
      reference = (await pushImage(image, registry, 'library/busybox:1')).reference
      target = image.target.digest
      addresses['nsbox-server'] = resources.use(await startServer()).address
      addresses.containerd = resources.use(await startContainerd()).address
      // What stock ctr calls the unpacked image is what it is to be called.
      const stock = ['-a', addresses.containerd, '-n', 'reference', 'images']
      await runOrThrow('/usr/bin/ctr', [...stock, 'pull', '--plain-http', reference])
      await using place = await mountPlace()
      chainId = (await runOrThrow('/usr/bin/ctr', [...stock, 'mount', reference, place.path])).stdout.split(
        '\n',
      )[0]!
      await runOrThrow('/usr/bin/ctr', [...stock, 'unmount', '--rm', place.path])
    })

    afterAll(() => resources.disposeAsync())

    describe.each(['nsbox-server', 'containerd'])('against %s', (server) => {
      const within =
        (name: 'ctr' | 'dist', namespace: string) => (args: readonly string[], options?: CommandOptions) =>
          runCommand(name, ['-a', addresses[server]!, '-n', namespace, ...args], options)
      const stockWithin = (namespace: string) => (args: readonly string[]) =>
        run('/usr/bin/ctr', ['-a', addresses[server]!, '-n', namespace, ...args])

      it('unpack, mount and measure an image as stock ctr does', async () => {
        const [ctr, stock] = [within('ctr', 'mounting'), stockWithin('mounting')]
        const fetched = await ctr(['images', 'pull', '--local', '--plain-http', '--no-unpack', reference])
        expect(fetched).toMatchObject({ code: 0, stderr: '' })
        expect(lines(fetched.stdout).at(-2)).toBe(`${reference} ${target}`)
        const missed = await ctr(['images', 'usage', reference])
        const elsewhere = server === 'containerd' ? '; namespace "reference" has it' : ''
        expect(missed).toMatchObject({
          code: 1,
          stderr: `ctr: snapshot ${chainId} does not exist${elsewhere}: not found\n`,
        })
        const mediaType = 'application/vnd.oci.image.manifest.v1+json'
        expect(await ctr(['snapshots', 'unpack', target])).toMatchObject({
          code: 0,
          stdout: `unpacking ${target} (${mediaType})...done\n`,
        })
        const [mine, theirs] = [
          await ctr(['images', 'usage', reference]),
          await stock(['images', 'usage', reference]),
        ]
        expect(lines(mine.stdout)).toEqual(lines(theirs.stdout))
        expect(mine.stdout).toContain(chainId)

        expect(lines((await ctr(['images', 'check'])).stdout)).toEqual(
          lines((await stock(['images', 'check'])).stdout),
        )

        await using place = await mountPlace()
        const { path } = place
        const mounted = `${chainId}\n${path}\n`
        expect(await ctr(['images', 'mount', reference, path])).toMatchObject({ code: 0, stdout: mounted })
        expect(await readFile(join(path, 'etc/top'), 'utf8')).toBe('top')
        await expect(writeFile(join(path, 'x'), '')).rejects.toMatchObject({ code: 'EROFS' })
        const leases = (await stock(['leases', 'ls'])).stdout
        expect(leases).toContain(path)
        expect(leases).toMatch(`containerd.io/gc.ref.snapshot.overlayfs=${path}`)
        // What one has mounted, the other unmounts.
        expect(await stock(['images', 'unmount', '--rm', path])).toMatchObject({ stdout: `${path}\n` })
        expect(await ctr(['images', 'mount', '--rw', '-x', '1h', reference, path])).toMatchObject({ code: 0 })
        await writeFile(join(path, 'written'), 'x')
        expect(await ctr(['images', 'unmount', path])).toMatchObject({ code: 0, stdout: `${path}\n` })
        expect(await isMountPoint(path)).toBe(false)
        // Without --rm the snapshot stays, and is what is mounted the next time.
        expect(await ctr(['images', 'mount', '--rw', reference, path])).toMatchObject({ stdout: mounted })
        expect(await readFile(join(path, 'written'), 'utf8')).toBe('x')
        expect(await ctr(['images', 'unmount', '--rm', path])).toMatchObject({ stdout: `${path}\n` })
        expect((await ctr(['snapshots', 'ls'])).stdout).not.toContain(path)
        expect((await stock(['leases', 'ls', '-q'])).stdout).toBe('')
        expect(await ctr(['images', 'unmount', '--rm', path])).toMatchObject({ code: 0, stdout: `${path}\n` })
      })

      it('leave nothing behind when an image cannot be mounted', async () => {
        const ctr = within('ctr', 'mounting')
        const refused = await ctr(['images', 'mount', reference, '/nowhere/to/be'])
        expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/^ctr: .*\/nowhere\/to\/be/) })
        expect((await ctr(['snapshots', 'ls'])).stdout).not.toContain('/nowhere/to/be')
        expect((await ctr(['leases', 'ls', '-q'])).stdout).toBe('')
      })

      it('pull, unpack and print the chain id', async () => {
        const pulled = await within(
          'dist',
          'pulling',
        )([
          ...['pull', '--local', '--max-concurrent-downloads', '2', '--plain-http', '--label', 'a=b'],
          ...['--print-chainid', '--snapshotter', 'native', reference],
        ])
        expect(pulled).toMatchObject({ code: 0, stderr: '' })
        const { stdout } = pulled
        expect(stdout).toMatch(/^layer-sha256:[0-9a-f]+: extracted$/m)
        expect(lines(stdout).slice(-4)).toEqual([
          `${reference} ${target}`,
          expect.stringMatching(new RegExp(`^unpacked linux/\\S+ ${chainId}$`)),
          `image chain ID: ${chainId}`,
          '',
        ])
        const stock = stockWithin('pulling')
        expect((await stock(['images', 'ls'])).stdout).toContain('a=b')
        expect((await stock(['snapshots', '--snapshotter', 'native', 'ls'])).stdout).toContain(chainId)
        expect((await stock(['leases', 'ls', '-q'])).stdout).toBe('')
      })

      it('make a root filesystem of an image', async () => {
        const dist = within('dist', 'mounting')
        expect(await dist(['rootfs', 'unpack', target])).toMatchObject({ code: 0, stdout: `${chainId}\n` })
        await using place = await mountPlace()
        const prepared = await dist(['rootfs', 'prepare', chainId, place.path])
        expect(prepared).toMatchObject({ code: 0, stderr: '' })
        await runOrThrow('/bin/sh', ['-ec', prepared.stdout])
        await runOrThrow('chroot', [place.path, '/bin/sh', '-c', 'echo changed > /etc/top'])
        expect(await readFile(join(place.path, 'etc/top'), 'utf8')).toBe('changed\n')
        await unmount(place.path)
        await within('ctr', 'mounting')(['snapshots', 'rm', place.path])
      })

      it.each([
        [
          ['ctr', 'snapshots', 'unpack', 'sha256:abc'],
          /^ctr: invalid digest "sha256:abc": invalid argument\n$/,
        ],
        [
          ['ctr', 'snapshots', 'unpack', `sha256:${'a'.repeat(64)}`],
          /^ctr: image with target sha256:a+: not found\n$/,
        ],
        [['ctr', 'images', 'mount', 'absent', '/mnt'], /^ctr: image "absent": not found\n$/],
        [['ctr', 'images', 'mount', 'absent'], /^ctr: missing required argument 'target'\n$/],
        [
          ['ctr', 'images', 'mount', '-x', 'soon', 'a', 'b'],
          /^ctr: option '-x, --expiration <duration>' argument 'soon'/,
        ],
        [['ctr', 'images', 'usage', 'absent'], /^ctr: image "absent": not found\n$/],
        [
          ['ctr', 'images', 'pull', '--tlscacert', '/x', 'a'],
          /^ctr: "--tlscacert" requires "--local" flag\n$/,
        ],
        [
          ['ctr', 'images', 'pull', '--local', 'UPPER'],
          /^ctr: invalid reference "UPPER".*: invalid argument\n$/,
        ],
        [
          ['dist', 'pull', '--max-concurrent-downloads', 'x', 'a'],
          /^dist: option '--max-concurrent-downloads <number>' argument 'x'/,
        ],
        [['dist', 'rootfs', 'unpack', 'x'], /^dist: invalid digest "x": invalid argument\n$/],
        [
          ['dist', 'rootfs', 'prepare', `sha256:${'a'.repeat(64)}`, '/mnt/x'],
          /^dist: parent snapshot sha256:a+ does not exist: not found\n$/,
        ],
        [['dist', 'apply', '/nowhere'], /^dist: .*\/nowhere/],
      ] as [string[], RegExp][])(
        'refuse %j with a clear error and exit status 1',
        async ([name, ...args], message) => {
          const command = within(name as 'ctr' | 'dist', 'mounting')
          const { code, stdout, stderr } = await command(args, { input: '' })
          expect({ code, stdout, stderr }).toEqual({
            code: 1,
            stdout: '',
            stderr: expect.stringMatching(message),
          })
        },
      )
    })

    it('let nsbox-server pull and unpack', async () => {
      // One that has unpacked nothing for others yet.
      await using server = await startServer()
      const { address } = server
      const within = (namespace: string, ...args: string[]) => [...['-a', address, '-n', namespace], ...args]
      const pull = (namespace: string, ...args: string[]) =>
        runCommand('dist', within(namespace, 'pull', ...args, reference))
      const snapshots = async (namespace: string, snapshotter: string) =>
        (await runCommand('ctr', within(namespace, '--snapshotter', snapshotter, 'snapshots', 'ls'))).stdout

      const first = await pull('first')
      expect(first).toMatchObject({ code: 0, stderr: '' })
      expect(first.stdout).toMatch(/^layer-sha256:[0-9a-f]+: extracted$/m)
      expect(lines(first.stdout).slice(-3)).toEqual([
        `${reference} ${target}`,
        expect.stringMatching(new RegExp(`^unpacked linux/\\S+ ${chainId}$`)),
        '',
      ])
      expect(await snapshots('first', 'overlayfs')).toContain(chainId)

      const second = await pull('second')
      expect(second).toMatchObject({ code: 0, stderr: '' })
      expect(second.stdout).not.toContain('extract')
      expect(second.stdout).toMatch(/ total: 0\.0 B /)
      expect(lines(second.stdout).slice(-2)).toEqual(lines(first.stdout).slice(-2))
      expect(await snapshots('second', 'overlayfs')).toContain(chainId)

      const label = 'containerd.io/defaults/snapshotter=absent'
      await runCommand('ctr', within('without', 'namespaces', 'create', 'without', label))
      const without = await pull('without')
      expect(without).toMatchObject({
        code: 0,
        stderr: 'not unpacked, since the server does not have the snapshotter absent\n',
      })
      expect(lines(without.stdout).slice(-2)).toEqual([`${reference} ${target}`, ''])

      const third = await pull('third', '--no-unpack')
      expect(lines(third.stdout).slice(-2)).toEqual([`${reference} ${target}`, ''])
      expect(lines(await snapshots('third', 'overlayfs'))).toEqual(['KEY PARENT KIND', ''])
      expect(await pull('third', '-q', '--snapshotter', 'native')).toMatchObject({ stdout: `${target}\n` })
      expect(await snapshots('third', 'native')).toContain(chainId)
      expect(await pull('third', '--snapshotter', 'nowhere')).toMatchObject({
        code: 1,
        stderr: 'dist: snapshotter not loaded: nowhere: invalid argument\n',
      })
    })

    it('apply a layer to a directory, without a server', async () => {
      await using directory = await tempDir()
      const path = join(directory.path, 'root')
      await mkdir(path)
      await writeFile(join(path, 'gone'), '')
      const chunks: Uint8Array[] = []
      const entries = [
        { name: 'etc', type: 'directory' as const, mode: 0o750, uid: 7 },
        { name: 'etc/file', content: 'x', mode: 0o4755 },
        { name: '.wh.gone', content: '' },
      ]
      for await (const chunk of tar(entries)) chunks.push(chunk)
      const archive = Buffer.concat(chunks)
      await writeFile(`${path}.layer`, gzipSync(archive))
      const env = { CONTAINERD_ADDRESS: '/nowhere' }
      const script = 'exec "$0" apply "$1" < "$1.layer"'
      const applied = await run('/bin/sh', ['-c', script, program('dist'), path], { env })
      expect(applied).toMatchObject({ code: 0, stderr: '', stdout: `${digestOf(archive)}\n` })
      expect(await readdir(path)).toEqual(['etc'])
      expect(await stat(join(path, 'etc'))).toMatchObject({ uid: 7 })
      expect((await stat(join(path, 'etc/file'))).mode & 0o7777).toBe(0o4755)
      expect(await readFile(join(path, 'etc/file'), 'utf8')).toBe('x')
    })
  },
)
