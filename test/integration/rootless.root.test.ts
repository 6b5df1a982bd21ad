import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { lstat, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import {
  buildImage,
  busyboxLayer,
  pushImage,
  type Registry,
  type RunningProcess,
  rawEntry,
  rawTar,
  runOrThrow,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { CommandHost } from './command-host.ts'
import { delegatedCgroup } from './delegated-cgroup.ts'
import { type OrdinaryUser, ordinaryUser, testUser } from './ordinary-user.ts'

const needed = {
  root: true,
  linux: true,
  users: [testUser],
  programs: [
    'ctr',
    'docker-registry',
    'newuidmap',
    'pasta',
    'python3',
    'runc',
    'setpriv',
    'skopeo',
    'unshare',
  ],
} as const

/** A layer of owners whom an ordinary user may not have, and of what they may not make. */
const odd = [
  { name: 'var/', type: '5', mode: 0o755 },
  { name: 'var/owned', uid: 1000, gid: 1001, content: 'of a user' },
  { name: 'var/far', uid: 70_000, gid: 70_001, content: 'beyond the subordinate ids' },
  { name: 'var/closed/', type: '5', mode: 0o500, uid: 3, gid: 4 },
  { name: 'var/closed/file', mode: 0o400, uid: 3, gid: 4, content: 'x' },
  { name: 'var/link', type: '2', linkName: 'owned', uid: 5, gid: 6 },
  { name: 'var/pipe', type: '6' },
  { name: 'var/null', type: '3', major: 1, minor: 3, mode: 0o666 },
  { name: 'var/again', type: '1', linkName: 'var/null' },
]

/** The owners in a layer, by name. */
const ownersInTar = `
import json, sys, tarfile
with tarfile.open(fileobj=sys.stdin.buffer, mode='r|*') as layer:
    print(json.dumps({e.name.removeprefix('./'): [e.uid, e.gid] for e in layer if e.name.startswith(('var', './var'))}))
`

describeWith(needed, 'an ordinary user', () => {
  const resources = new AsyncDisposableStack()
  let registry: Registry
  let reference: string
  let user: OrdinaryUser
  /** Without subordinate ids. */
  let nobody: OrdinaryUser

  beforeAll(async () => {
    registry = resources.use(await startRegistry())
    const directory = resources.use(await tempDir('nsbox-layout')).path
    const archive = join(directory, 'odd.tar.gz')
    await writeFile(archive, gzipSync(rawTar(...odd.map(rawEntry))))
    const image = await buildImage(join(directory, 'layout'), {
      layers: [await busyboxLayer(), { archive }],
      config: { Env: ['PATH=/bin'], Cmd: ['sh'] },
    })
    reference = (await pushImage(image, registry, 'odd:1')).reference
    user = resources.use(await ordinaryUser(testUser))
    nobody = resources.use(await ordinaryUser('nobody'))
  })
  afterAll(() => resources.disposeAsync())

  /** Pulls the image without a server, and returns the directory of its topmost layer, or of the whole image. */
  async function pulled(
    who: OrdinaryUser,
    { flags = [], ...options }: Parameters<OrdinaryUser['run']>[2] & { flags?: readonly string[] } = {},
  ) {
    const result = await who.run('dist', [...flags, 'pull', '--plain-http', reference], options)
    expect(result).toMatchObject({ code: 0, stdout: expect.stringMatching(/^unpacked linux\/\S+ sha256:/m) })
    const root = flags.includes('--root')
      ? flags[flags.indexOf('--root') + 1]!
      : join(who.home, '.local/share/nsbox')
    const [native, overlays] = ['native', 'overlayfs'].map((kind) =>
      join(root, 'snapshots', kind, 'snapshots'),
    )
    const kind = flags.includes('native') || !existsSync(overlays!) ? native! : overlays!
    const holding = readdirSync(kind).find((name) => existsSync(join(kind, name, 'fs/var')))
    return { ...result, files: join(kind, holding!, 'fs') }
  }

  const ownerOf = async (path: string) => {
    const { uid, gid } = await lstat(path)
    return [uid, gid]
  }

  /** The owners in the topmost layer, as comparing snapshots makes it. */
  async function madeAgain(who: OrdinaryUser, flags: readonly string[], stdout: string) {
    const [, chainId] = /^unpacked \S+ (\S+)$/m.exec(stdout)!
    const made = await who.run('ctr', [...flags, 'snapshots', 'diff', '--label', 'x=y', chainId!])
    expect(made).toMatchObject({ code: 0, stderr: '' })
    const read = await runOrThrow('python3', ['-c', ownersInTar], { input: made.stdoutBytes })
    return JSON.parse(read.stdout)
  }

  const owners = {
    'var/owned': [1000, 1001],
    'var/far': [70_000, 70_001],
    'var/closed': [3, 4],
    'var/closed/file': [3, 4],
    'var/null': [0, 0],
  }

  it('unpacks without a server, in overlays, with the owners of the image', async () => {
    const flags = ['--snapshotter', 'overlayfs']
    const { files, stdout } = await pulled(user, { flags })
    const [, first] = new RegExp(`^${testUser}:(\\d+):65536$`, 'm').exec(readFileSync('/etc/subuid', 'utf8'))!
    // Id 1 of the namespace is the first subordinate one.
    const subordinate = (id: number) => Number(first) - 1 + id
    expect(await ownerOf(join(files, 'var/owned'))).toEqual([subordinate(1000), subordinate(1001)])
    expect(await ownerOf(join(files, 'var/link'))).toEqual([subordinate(5), subordinate(6)])
    expect(await ownerOf(join(files, 'var/far'))).toEqual([user.uid, user.gid])
    const device = await lstat(join(files, 'var/null'))
    expect([device.isFile(), device.size, device.mode & 0o777, device.nlink]).toEqual([true, 0, 0o666, 2])
    expect((await lstat(join(files, 'var/pipe'))).isFIFO()).toBe(true)
    expect(await madeAgain(user, flags, stdout)).toMatchObject({ ...owners, 'var/link': [5, 6] })
  })

  it('without subordinate ids, keeps owners as umoci does, and makes layers with them', async () => {
    const flags = ['--snapshotter', 'native']
    const { files, stdout } = await pulled(nobody, { flags })
    expect(await ownerOf(join(files, 'var/owned'))).toEqual([nobody.uid, nobody.gid])
    const script = 'import os, sys; print(os.getxattr(sys.argv[1], "user.rootlesscontainers").hex())'
    const kept = await runOrThrow('python3', ['-c', script, join(files, 'var/owned')])
    // The message Resource: field 1 is 1000, field 2 is 1001.
    expect(kept.stdout.trim()).toBe('08e80710e907')
    expect((await lstat(join(files, 'var/closed'))).mode & 0o777).toBe(0o500)
    expect(await madeAgain(nobody, flags, stdout)).toMatchObject(owners)
  })

  it('without user namespaces, says so, and unpacks what can be made', async () => {
    const barred = ['unshare', '-U', '--map-users', '0:0:4294967295', '--map-groups', '0:0:4294967295']
    // The limit is that of the namespace.
    const before = `set -- ${barred.join(' ')} sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' sh "$@"`
    const flags = ['--root', join(nobody.home, 'barred')]
    const { files, stderr } = await pulled(nobody, { flags, before })
    expect(stderr).toMatch(/^no user namespace can be made here: .*`ctr doctor` tells more\n$/)
    expect(await ownerOf(join(files, 'var/closed/file'))).toEqual([nobody.uid, nobody.gid])
    const { stdout } = await nobody.run('ctr', [...flags, 'doctor'], { before })
    expect(stdout).toMatch(/^missing +user namespaces: .*\n +needed for .*\n +way out: /m)
  })

  it('as root of a user namespace that somebody made, works on a store of their own', async () => {
    const flags = ['--root', join(user.home, 'mapped')]
    const { stderr } = await pulled(user, { flags, within: ['unshare', '-Ur'] })
    expect(stderr).toBe('')
  })

  it('is told that the server of root is not theirs', async () => {
    const bind = "import socket; socket.socket(socket.AF_UNIX).bind('/run/nsbox/nsbox.sock')"
    const before = `mount -t tmpfs none /run && mkdir -m 711 /run/nsbox && python3 -c "${bind}"`
    const { code, stderr } = await user.run('dist', ['images', 'ls'], { before })
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^the server at \/run\/nsbox\/nsbox.sock is for root only: .*\n$/),
    })
  })

  it('learns from ctr doctor what is lacking, for what, and the way out', async () => {
    const { stdout } = await nobody.run('ctr', ['doctor'])
    expect(stdout).toMatch(
      /^limited +subordinate ids: .* have no ids of user nobody.*\n +needed for .*\n +way out: /m,
    )
    expect(stdout).toMatch(/^limited +criu: /m)
    const found = JSON.parse((await user.run('dist', ['doctor', '--json'])).stdout)
    const states = Object.fromEntries(
      found.map((each: { subject: string; state: string }) => [each.subject, each.state]),
    )
    expect(states).toMatchObject({
      'user namespaces': 'ok',
      'subordinate ids': 'ok',
      overlays: 'ok',
      runc: 'ok',
      pasta: 'ok',
    })
  })

  describe('with a server', () => {
    const owned = new AsyncDisposableStack()
    let server: RunningProcess
    let commands: CommandHost

    beforeAll(async () => {
      commands = owned.use(user.startCommandHost())
      server = await user.startServer()
      owned.defer(async () => {
        await server.stop()
      })
      expect(await ctr('images', 'pull', '--plain-http', reference)).toMatchObject({ code: 0, stderr: '' })
    })
    afterAll(() => owned.disposeAsync())
    afterEach(async () => {
      expect((await ctr('containers', 'ls', '-q')).stdout).toBe('')
    })

    const ctr = async (...args: string[]) => {
      // These start again in the namespaces of the server, in the place of the process that they are in.
      if (/^(run|tasks exec) /.test(args.join(' '))) return user.run('ctr', args)
      const { code, stdout, stderr } = await commands.run({ program: 'ctr', args })
      return { code, stdout: Buffer.from(stdout).toString(), stderr: Buffer.from(stderr).toString() }
    }
    const stock = (...args: string[]) => user.run('/usr/bin/ctr', ['-a', user.address, ...args])
    const removed = (id: string) => ({
      async [Symbol.asyncDispose]() {
        await ctr('tasks', 'rm', '-f', id)
        await ctr('containers', 'rm', id)
      },
    })

    it('runs containers as root of the namespace, who owns what the image’s root owns', async () => {
      const script = 'id -u; stat -c %u:%g /var/owned /var/far; touch /made && stat -c %u /made'
      const ran = await ctr('run', '--rm', reference, 'owning', 'sh', '-c', script)
      expect(ran).toMatchObject({ code: 0, stdout: '0\n1000:1001\n0:0\n0\n', stderr: '' })
    })

    it('lists, enters, signals and removes a container without a cgroup, and keeps its log', async () => {
      const log = join(user.home, 'log')
      await using _removal = removed('kept')
      const script = 'echo logged; sleep 1000 & wait'
      const started = await ctr(
        'run',
        '-d',
        '--log-uri',
        `file://${log}`,
        reference,
        'kept',
        'sh',
        '-c',
        script,
      )
      expect(started).toMatchObject({ code: 0, stderr: '' })
      await expect.poll(() => readFile(log, 'utf8')).toBe('logged\n')
      await expect
        .poll(async () => (await ctr('tasks', 'ps', 'kept')).stdout.trim().split('\n'))
        .toHaveLength(1 + 2)
      const within = ['tasks', 'exec', '--exec-id', 'second', 'kept']
      expect(await ctr(...within, 'id', '-u')).toMatchObject({ code: 0, stdout: '0\n' })
      expect(await ctr('tasks', 'kill', '-a', '-s', 'SIGKILL', 'kept')).toMatchObject({ code: 0, stderr: '' })
      await expect.poll(async () => (await ctr('tasks', 'ls')).stdout).toMatch(/^kept +\d+ +STOPPED/m)
    })

    it('refuses what needs root or a cgroup, with the reason', async () => {
      const limited = await ctr('run', '--rm', '--memory-limit', '100000000', reference, 'limited', 'true')
      expect(limited).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/\(memory\) need a cgroup.*ctr doctor/),
      })
      await using _removal = removed('whole')
      await ctr('run', '-d', reference, 'whole', 'sleep', '1000')
      const reason = expect.stringMatching(/cannot be paused without a cgroup/)
      expect(await ctr('containers', 'fork', 'whole')).toMatchObject({ code: 1, stderr: reason })
      const image = ['--image-path', join(user.home, 'memory'), 'whole']
      const root = expect.stringMatching(/a checkpoint needs a server that root runs/)
      expect(await ctr('tasks', 'checkpoint', ...image)).toMatchObject({ code: 1, stderr: root })
    })

    it('goes on with running containers after the server was killed, in the same namespace', async () => {
      await using _removal = removed('lasting')
      await ctr('run', '-d', reference, 'lasting', 'sleep', '1000')
      const before = readlinkSync(`/proc/${server.pid}/ns/user`)
      server.kill('SIGKILL')
      await server.exited
      server = await user.startServer()
      expect(readlinkSync(`/proc/${server.pid}/ns/user`)).toBe(before)
      const within = ['tasks', 'exec', '--exec-id', 'after', 'lasting', 'cat', '/var/owned']
      expect(await ctr(...within)).toMatchObject({ code: 0, stdout: 'of a user' })
    })

    it('E16 connects a container to networks, and not to the loopback interface of the host', async () => {
      const port = registry.host.split(':')[1]
      const script = `ip -o link show eth0 && ! wget -q -T 5 -O /dev/null http://127.0.0.1:${port}/v2/`
      const ran = await ctr('run', '--rm', '--cni', reference, 'connected', 'sh', '-c', script)
      expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('eth0') })
    })

    it('serves stock ctr: pull, snapshots, export, import, push, and a container in its namespaces', async () => {
      const archive = join(user.home, 'image.tar')
      const calls = [
        ['images', 'pull', '--plain-http', reference],
        ['images', 'export', archive, reference],
        ['images', 'rm', '--sync', reference],
        ['images', 'import', archive],
        ['images', 'push', '--plain-http', reference.replace('odd', 'stock'), reference],
      ]
      for (const call of calls) expect([call, (await stock(...call)).code]).toEqual([call, 0])
      const within = ['nsenter', '--preserve-credentials', '-U', '-m', '-t', String(server.pid)]
      const run = [
        '-a',
        user.address,
        'run',
        '--rm',
        '--fifo-dir',
        join(user.home, 'fifo'),
        reference,
        'stock',
        'id',
      ]
      expect(await user.run('/usr/bin/ctr', run, { within })).toMatchObject({ code: 0, stderr: '' })
    })

    it('builds an image of a directory, pushes it and pulls it back', async () => {
      const name = `${registry.host}/built:1`
      const made = await ctr('images', 'from-rootfs', '/usr/share/base-files', name)
      expect(made).toMatchObject({ code: 0, stderr: '' })
      const listed = async () =>
        (await ctr('images', 'ls')).stdout.split('\n').find((line) => line.startsWith(name))
      const built = await listed()
      expect(built).toMatch(/sha256:[0-9a-f]{64}/)
      expect(await ctr('images', 'push', '--plain-http', name)).toMatchObject({ code: 0 })
      expect(await ctr('images', 'rm', '--sync', name)).toMatchObject({ code: 0 })
      expect(await listed()).toBeUndefined()
      expect(await ctr('images', 'pull', '--plain-http', name)).toMatchObject({ code: 0, stderr: '' })
      expect(await listed()).toBe(built)
    })

    it('limits, measures and pauses containers where a cgroup is delegated', async () => {
      await server.stop()
      const cgroup = delegatedCgroup(`nsbox-rootless-${process.pid}`)
      // After the server, which is in it.
      resources.use(cgroup)
      server = await user.startServer({ before: cgroup.enter })
      await using _removal = removed('measured')
      const limit = ['--memory-limit', String(64 << 20)]
      expect(await ctr('run', '-d', ...limit, reference, 'measured', 'sleep', '1000')).toMatchObject({
        code: 0,
      })
      expect((await ctr('tasks', 'metrics', 'measured')).stdout).toMatch(/^memory\./m)
      expect(await ctr('tasks', 'pause', 'measured')).toMatchObject({ code: 0, stderr: '' })
      expect((await ctr('tasks', 'ls')).stdout).toMatch(/^measured +\d+ +PAUSED/m)
    })
  })
})
