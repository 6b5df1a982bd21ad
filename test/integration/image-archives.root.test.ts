import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type BuiltImage,
  type Containerd,
  type Needs,
  run,
  runOrThrow,
  startContainerd,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type CommandOptions, runCommand } from './command-host.ts'
import { program, startServer } from './programs.ts'
import { twoPlatformImage } from './two-platform-image.ts'

const needs: Needs = { root: true, linux: true, programs: ['containerd', 'ctr', 'skopeo'] }

describeWith(needs, 'archives of images on the command line', () => {
  const resources = new AsyncDisposableStack()
  const addresses: Record<string, string> = {}
  let directory: string
  let image: BuiltImage
  let layoutTar: string
  let dockerTar: string
  let count = 0
  let namespace: string

  beforeAll(async () => {
    directory = resources.use(await tempDir('nsbox-archives')).path
    const made = await twoPlatformImage(directory, 400_000)
    image = made.image
    layoutTar = made.archive
    dockerTar = join(directory, 'docker.tar')
    await runOrThrow('skopeo', ['copy', `oci:${made.layout}:latest`, `docker-archive:${dockerTar}:built:1`])
    const containerd: Containerd = resources.use(await startContainerd())
    addresses.containerd = containerd.address
    addresses['nsbox-server'] = resources.use(await startServer()).address
  })
  afterAll(() => resources.disposeAsync())
  beforeEach(() => {
    namespace = `n${count++}`
  })

  const client = (server: string, name: 'ctr' | 'dist' | 'stock') => {
    return (args: readonly string[], options?: CommandOptions) => {
      const all = ['-a', addresses[server]!, '-n', namespace, ...args]
      return name === 'stock' ? run('/usr/bin/ctr', all, options) : runCommand(name, all, options)
    }
  }
  const good = async (result: ReturnType<typeof run>): Promise<string> => {
    const { code, stdout, stderr } = await result
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return stdout
  }

  describe.each(['containerd', 'nsbox-server'])('against %s', (server) => {
    it('are imported and exported as stock ctr does it', async () => {
      const [ours, stock] = [client(server, 'ctr'), client(server, 'stock')]
      await good(
        ours(['images', 'import', '--no-unpack', '--all-platforms', '--base-name', 'foo/bar', layoutTar]),
      )
      expect((await good(stock(['images', 'ls']))).split('\n')[1]).toContain(
        `foo/bar:latest ${image.target.mediaType}`,
      )
      const [one, two] = [join(directory, 'ours.tar'), join(directory, 'stock.tar')]
      await good(ours(['images', 'export', '--all-platforms', one, 'foo/bar:latest']))
      await good(stock(['images', 'export', '--all-platforms', two, 'foo/bar:latest']))
      expect((await readFile(one)).equals(await readFile(two))).toBe(true)
      // What held the import is gone.
      expect(await good(stock(['leases', 'ls', '-q']))).toBe('')
    })

    it('come from standard input and go to standard output', async () => {
      const global = ['-a', addresses[server]!, '-n', namespace]
      // What is connected by pipes is a process of its own.
      const ours = (args: readonly string[], options?: CommandOptions) =>
        run(program('ctr'), [...global, ...args], options)
      await good(ours(['images', 'import', '--no-unpack', '-'], { input: await readFile(dockerTar) }))
      const names = (await good(ours(['images', 'ls', '-q']))).trim().split('\n')
      expect(names).toEqual(['docker.io/library/built:1'])
      const { stdoutBytes } = await ours(['images', 'export', '-', ...names])
      const file = join(directory, `${namespace}.tar`)
      await writeFile(file, stdoutBytes)
      const { stdout } = await runOrThrow('skopeo', ['inspect', `docker-archive:${file}`])
      expect(JSON.parse(stdout).Layers).toHaveLength(2)
    })

    it('are named by digest on demand', async () => {
      const ours = client(server, 'ctr')
      const flags = ['--no-unpack', '--base-name', 'foo/bar', '--digests', '--index-name', 'whole']
      await good(ours(['images', 'import', ...flags, layoutTar]))
      const names = (await good(ours(['images', 'ls', '-q']))).trim().split('\n')
      expect(names).toEqual([`foo/bar:latest`, `foo/bar@${image.target.digest}`, 'whole'].sort())
    })

    it('can be directories, by dist too', async () => {
      const dist = client(server, 'dist')
      const out = join(directory, `${namespace}-layout/`)
      await good(dist(['images', 'import', '--no-unpack', '--base-name', 'a/b', join(directory, 'layout')]))
      await good(dist(['images', 'export', '--skip-manifest-json', out, 'a/b:latest']))
      expect((await readdir(out)).sort()).toEqual(['blobs', 'index.json', 'oci-layout'])
      const again = await dist(['images', 'export', out, 'a/b:latest'])
      expect(again).toMatchObject({ code: 1, stderr: `dist: ${out}: is not empty: already exists\n` })
    })

    it('leave no file behind that is not whole', async () => {
      const ours = client(server, 'ctr')
      await good(ours(['images', 'import', '--no-unpack', '--base-name', 'a/b', layoutTar]))
      const out = join(directory, `${namespace}.tar`)
      await writeFile(out, 'kept')
      // The content of one platform alone was held.
      const failed = await ours(['images', 'export', '--platform', 'linux/s390x', out, 'a/b:latest'])
      expect(failed.code).toBe(1)
      expect(failed.stderr).toMatch(/no manifest for \S+; there are: .+: not found\n$/)
      expect(await readFile(out, 'utf8')).toBe('kept')
      expect((await readdir(directory)).filter((name) => name.includes('partial'))).toEqual([])
      const missing = await ours(['images', 'export', out, 'nobody/nothing:1'])
      expect(missing).toMatchObject({ code: 1, stderr: 'ctr: image "nobody/nothing:1": not found\n' })
    })
  })

  it('can be made of root file systems and run through tools of others', async () => {
    const dist = client('nsbox-server', 'dist')
    const root = join(directory, 'rootfs')
    await mkdir(join(root, 'etc'), { recursive: true })
    await writeFile(join(root, 'etc/hostname'), 'made')
    const flags = ['--owner', '0:0', '--entrypoint', '/bin/sh', '--entrypoint', '-c', '--cmd', 'true']
    const more = [
      '--env',
      'A=b',
      '--user',
      '1:1',
      '--cwd',
      '/etc',
      '--label',
      'c=d',
      '--source-date-epoch',
      '7',
    ]
    const make = (from: string, options?: CommandOptions) =>
      good(dist(['images', 'from-rootfs', ...flags, ...more, from, 'made/image:1'], options))
    const digest = await make(root)
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}\n$/)
    expect(await make(root, { env: { SOURCE_DATE_EPOCH: '9' } })).toBe(digest)
    const tarball = await runOrThrow('tar', ['-C', root, '--sort=name', '--numeric-owner', '-c', '.'])
    expect(await make('-', { input: tarball.stdoutBytes })).toBe(digest)
    const out = join(directory, 'made.tar')
    await good(dist(['images', 'export', out, 'made/image:1']))
    const { stdout } = await runOrThrow('skopeo', ['inspect', '--config', `docker-archive:${out}`])
    expect(JSON.parse(stdout)).toMatchObject({
      created: '1970-01-01T00:00:07Z',
      config: {
        User: '1:1',
        Env: ['A=b'],
        Entrypoint: ['/bin/sh', '-c'],
        Cmd: ['true'],
        WorkingDir: '/etc',
        Labels: { c: 'd' },
      },
    })
  })

  it.each([
    [['--owner', 'root'], 'an owner is two numbers'],
    [['--source-date-epoch', '-1'], 'a time is a number of seconds'],
    [['--env', 'A'], 'not of the form NAME=value'],
    [['--platform', 'no/such/thing/at/all'], 'invalid platform'],
  ])('are not made with %j', async (flags, message) => {
    const dist = client('nsbox-server', 'dist')
    const failed = await dist(['images', 'from-rootfs', ...flags, join(directory, 'layout'), 'made/image:2'])
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain(message)
  })

  it.each(['containerd', 'nsbox-server'])('are unpacked after the import, by %s', async (server) => {
    const [ours, stock] = [client(server, 'ctr'), client(server, 'stock')]
    const imported = await good(ours(['images', 'import', dockerTar]))
    expect(imported).toMatch(/^unpacking docker\.io\/library\/built:1 \(sha256:[0-9a-f]{64}\)\.\.\.done\n$/)
    expect(await good(stock(['images', 'check']))).toMatch(/complete \(3\/3\).*true/)
    const compressed = await good(
      ours(['images', 'import', '--sync-fs', '--compress-blobs', '--discard-unpacked-layers', dockerTar]),
    )
    expect(compressed).toContain('done')
    expect(await good(stock(['images', 'check']))).toMatch(/built:1 .*true/)
  })

  it.each([
    [['--skip-digest-for-named'], '--skip-digest-for-named goes with --digests only'],
    [
      ['--discard-unpacked-layers', '--no-unpack'],
      '--discard-unpacked-layers and --no-unpack exclude each other',
    ],
  ])('are not imported with %j', async (flags, message) => {
    const failed = await client('containerd', 'ctr')(['images', 'import', ...flags, layoutTar])
    expect(failed.code).not.toBe(0)
    expect(failed.stderr).toContain(message)
  })
})
