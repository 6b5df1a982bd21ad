import { chmod, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type ContainerLab, openContainerLab } from './container-lab.ts'
import { startServer, type TestServer } from './programs.ts'

const needed = { root: true, linux: true, programs: ['ctr', 'runc', 'busybox'] } as const
const mapping = '0:100000:65536'
const mapped = ['--uidmap', mapping, '--gidmap', mapping]

describeWith(needed, 'containers in user namespaces', () => {
  const resources = new AsyncDisposableStack()
  let server: TestServer
  let lab: ContainerLab

  beforeAll(async () => {
    server = resources.use(await startServer())
    // What tests are given is closed to others, as no directory is that a host has for its state.
    await chmod(dirname(server.state), 0o711)
    lab = resources.use(await openContainerLab(server.address, 'user-namespaces'))
  })
  afterAll(() => resources.disposeAsync())
  afterEach(async () => {
    expect(await lab.leftovers()).toEqual([])
    // Stock ctr uses the copy of an image's files that an earlier call has left, and does not hold it: the collector
    // must not come by between its look and its use.
    await lab.stock(['images', 'tag', lab.image, 'collected:1'])
    expect((await lab.stock(['images', 'rm', '--sync', 'collected:1'])).code).toBe(0)
  })

  const run = (flags: readonly string[], id: string, ...program: string[]) => [
    ...['run', '--fifo-dir', lab.fifos, ...mapped, ...flags, lab.image, id, ...program],
  ]
  const script = `cat /proc/self/uid_map; stat -c %u:%g /bin/sh; touch /made && stat -c %u:%g /made
    echo anew > /dev/stdout`
  const owned = /^ *0 +100000 +65536\n0:0\n0:0\nanew\n$/

  describe.each([['stock ctr'], ['our ctr']] as const)('by %s', (name) => {
    const ctr = (args: readonly string[]) => (name === 'our ctr' ? lab.ctr(args) : lab.stock(args))

    it.each([[[]], [['--remap-labels']]])('own the files of their image: %j', async (flags) => {
      const { code, stdout, stderr } = await ctr(run(['--rm', ...flags], 'owning', 'sh', '-c', script))
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: expect.stringMatching(owned), stderr: '' })
    })

    it('are other users to the host, and take more processes', async () => {
      const started = await ctr(run(['-d'], 'detached', 'sleep', '1000'))
      expect({ code: started.code, stderr: started.stderr }).toEqual({ code: 0, stderr: '' })
      try {
        const pid = /^detached +(\d+) +RUNNING/m.exec((await ctr(['tasks', 'ls'])).stdout)![1]!
        expect(await readFile(`/proc/${pid}/status`, 'utf8')).toMatch(/^Uid:(\t100000){4}$/m)
        const exec = ['tasks', 'exec', '--fifo-dir', lab.fifos, '--exec-id', 'second', 'detached', 'id', '-u']
        expect(await ctr(exec)).toMatchObject({ code: 0, stdout: '0\n' })
      } finally {
        await lab.stock(['tasks', 'rm', '-f', 'detached'])
        await lab.stock(['containers', 'rm', 'detached'])
      }
    })
  })

  it('D01 pass through directories that they cannot read, and not through others', async () => {
    expect((await lab.stock(run(['--rm'], 'passing', 'true'))).code).toBe(0)
    const bundles = 'io.containerd.runtime.v2.task'
    const modes = ['.', bundles, 'tasks', 'tasks/runc', 'tasks/supervisor'].map(async (path) => [
      path,
      (await stat(join(server.state, path))).mode & 0o777,
    ])
    expect(Object.fromEntries(await Promise.all(modes))).toEqual({
      '.': 0o711,
      [bundles]: 0o711,
      tasks: 0o711,
      'tasks/runc': 0o700,
      'tasks/supervisor': 0o700,
    })
  })

  it('of our ctr share a copy of the files, which goes with the last of them', async () => {
    const copies = async () => (await lab.stock(['snapshots', 'ls'])).stdout.match(/-100000-100000 /g) ?? []
    const started = await lab.ctr(run(['-d'], 'keeping', 'sleep', '1000'))
    try {
      expect({ code: started.code, stderr: started.stderr }).toEqual({ code: 0, stderr: '' })
      expect((await lab.ctr(run(['--rm'], 'sharing', 'true'))).code).toBe(0)
      // The snapshot itself, and as the parent of the one that is kept.
      expect(await copies()).toHaveLength(2)
    } finally {
      await lab.stock(['tasks', 'rm', '-f', 'keeping'])
      await lab.stock(['containers', 'rm', 'keeping'])
    }
    await expect.poll(copies).toEqual([])
  })

  it('of our ctr need a mapping that begins with root, and leave nothing without one', async () => {
    const other = ['--uidmap', '1:100000:65535', '--gidmap', mapping]
    const { code, stderr } = await lab.ctr(['run', '--rm', ...other, lab.image, 'other', 'true'])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('must begin with user and group 0'),
    })
  })
})
