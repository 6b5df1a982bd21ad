import { existsSync } from 'node:fs'
import { mkdir, readdir, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from '@nsbox/client'
import { runOrThrow, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ContainerLab, openContainerLab } from './container-lab.ts'
import { counted, counter } from './counter.ts'
import { startServer, type TestServer } from './programs.ts'

const needed = { root: true, linux: true, programs: ['ctr', 'runc', 'criu', 'busybox'] } as const

/** A counter with files in memory that CRIU needs a moment to compress. */
const slow = ['sh', '-c', `head -c 30000000 /dev/urandom > /dev/shm/file; ${counter()[2]}`]

describeWith(needed, 'a checkpoint that fails', () => {
  let resources: AsyncDisposableStack
  let server: TestServer
  let lab: ContainerLab

  beforeEach(() => {
    resources = new AsyncDisposableStack()
  })
  afterEach(() => resources.disposeAsync())

  async function open(options: Parameters<typeof startServer>[0] = {}): Promise<void> {
    server = resources.use(await startServer(options))
    lab = resources.use(await openContainerLab(server.address, 'checkpoint-failures'))
  }
  async function ctr(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await lab.stock(args)
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' })
    return stdout
  }
  const start = async (id: string, program: readonly string[], ...flags: string[]) => {
    const fifos = join(lab.directory, 'stock-fifos')
    await ctr('run', '-d', '--null-io', '--fifo-dir', fifos, ...flags, lab.image, id, ...program)
  }
  const status = async () => /^one +\d+ +(\w+)/m.exec(await ctr('tasks', 'ls'))?.[1]
  let execs = 0
  const numbers = async () => {
    const { code, stdout, stderr } = await lab.stock([
      'tasks',
      'exec',
      '--exec-id',
      `e${++execs}`,
      'one',
      'cat',
      '/numbers',
    ])
    expect([code, stderr]).toEqual([0, ''])
    return counted(stdout)
  }
  /** That it runs and goes on counting. */
  const expectRunning = async () => {
    expect(await status()).toBe('RUNNING')
    const before = await numbers()
    await expect.poll(numbers).toBeGreaterThan(before)
  }
  const expectNothingLeft = async () => {
    const directory = join(server.root, 'checkpoints')
    expect(existsSync(directory) ? await readdir(directory) : []).toEqual([])
    expect(await ctr('content', 'active')).toBe('REF\tSIZE\tAGE\t\n')
    expect(await ctr('images', 'ls', '-q')).toBe(`${lab.image}\n`)
    expect(await ctr('leases', 'ls', '-q')).toBe('')
  }
  const counting = async () => {
    const exists = [
      'tasks',
      'exec',
      '--exec-id',
      'counting',
      'one',
      'sh',
      '-c',
      'until [ -e /numbers ]; do :; done',
    ]
    expect(await lab.stock(exists)).toMatchObject({ code: 0 })
  }
  /** Waits until files in memory are being written to images. */
  const dumping = async () => {
    const directory = join(server.root, 'checkpoints')
    const begun = async () => {
      const names = await readdir(directory, { recursive: true }).catch(() => [])
      const sizes = names
        .filter((name) => /tmpfs-.*\.img$/.test(name))
        .map(async (name) => {
          return (await stat(join(directory, name)).catch(() => ({ size: 0 }))).size
        })
      return Math.max(0, ...(await Promise.all(sizes)))
    }
    await expect.poll(begun, { interval: 2 }).toBeGreaterThan(100_000)
  }

  it('for want of CRIU leaves the original running, and everything else works', async () => {
    const { path } = resources.use(await tempDir('nsbox-no-criu'))
    const { stdout } = await runOrThrow('sh', ['-c', 'command -v runc'], {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin' },
    })
    await symlink(stdout.trim(), join(path, 'runc'))
    await symlink(process.execPath, join(path, 'node'))
    await open({ env: { PATH: `${path}:/usr/bin:/bin` } })
    await start('one', counter())
    for (const flags of [[], ['--exit'], ['--image-path', join(path, 'images')]]) {
      const { code, stderr } = await lab.stock(['tasks', 'checkpoint', ...flags, 'one'])
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/criu.*: (not implemented|failed precondition)/i),
      ])
      await expectRunning()
    }
    await expectNothingLeft()
  })

  it('for want of room leaves the original running, and succeeds once there is room', async () => {
    const { path } = resources.use(await tempDir('nsbox-small-disk'))
    const disk = join(path, 'disk')
    await mkdir(disk)
    await runOrThrow('mount', ['-t', 'tmpfs', '-o', 'size=60m', 'tmpfs', disk])
    resources.defer(async () => void (await runOrThrow('umount', [disk])))
    await open({ root: join(disk, 'root') })
    await start('one', counter(15_000_000))
    await expect.poll(status).toBe('RUNNING')
    await counting()
    const { stdout } = await runOrThrow('df', ['--output=avail', '-B1', disk])
    const room = Number(stdout.split('\n')[1])
    // Too little for the images, and enough for them but not for what is stored of them.
    for (const left of [5_000_000, 25_000_000]) {
      await runOrThrow('fallocate', ['-l', String(room - left), join(disk, 'filling')])
      for (const flags of [[], ['--exit']]) {
        const { code, stderr } = await lab.stock(['tasks', 'checkpoint', ...flags, 'one'])
        expect([code, stderr]).toEqual([
          1,
          expect.stringMatching(/no space left on device.*: resource exhausted/i),
        ])
        await expectRunning()
        await expectNothingLeft()
      }
      await rm(join(disk, 'filling'))
    }
    await ctr('tasks', 'checkpoint', 'one')
    await expectRunning()
  })

  describe('because of a connection', () => {
    const talk = `nc -l -p 7878 -e cat & until grep -q :1EC6 /proc/net/tcp /proc/net/tcp6; do :; done
      nc 127.0.0.1 7878 < /dev/zero > /dev/null & ${counter()[2]}`
    const connected = ['sh', '-c', talk]

    it.each([
      ['of its own network', []],
      ['of the host’s network', ['--net-host']],
    ])('%s leaves the original running, and says so', async (_what, flags) => {
      await open()
      await start('one', connected, ...flags)
      const inspect = () =>
        lab.stock(['tasks', 'exec', '--exec-id', `n${++execs}`, 'one', 'cat', '/proc/net/tcp'])
      await expect.poll(async () => (await inspect()).stdout).toMatch(/:1EC6 01 /)
      const { code, stderr } = await lab.stock(['tasks', 'checkpoint', 'one'])
      expect([code, stderr]).toEqual([1, expect.stringMatching(/TCP.*failed precondition/)])
      await expectRunning()
      await expectNothingLeft()
    })
  })

  it('because its process has ended meanwhile says that it has, and so does the task', async () => {
    await open()
    await start('one', slow)
    await counting()
    const pid = Number(/^one +(\d+)/m.exec(await ctr('tasks', 'ls'))![1])
    await using client = connect({ address: server.address, namespace: lab.namespace })
    const failing = expect(client.tasks.checkpoint('one')).rejects.toThrow(/ended/)
    await dumping()
    process.kill(pid, 'SIGKILL')
    await failing
    await expect.poll(status).toBe('STOPPED')
    await expectNothingLeft()
    const removed = await lab.stock(['tasks', 'rm', 'one'])
    expect(removed.stderr).toContain('non-zero exit code 137')
  })

  it.each([
    ['', false],
    [' of a paused task', true],
  ])('because the server dies%s leaves it as it was', async (_what, paused) => {
    await open()
    await start('one', slow)
    await counting()
    if (paused) await ctr('tasks', 'pause', 'one')
    const client = resources.use(connect({ address: server.address, namespace: lab.namespace }))
    const failing = expect(client.tasks.checkpoint('one')).rejects.toMatchObject({ code: 'unavailable' })
    await dumping()
    await server.kill()
    await failing
    await server.restart()
    if (paused) {
      expect(await status()).toBe('PAUSED')
      await ctr('tasks', 'resume', 'one')
    }
    await expectRunning()
    expect(await readdir(join(server.root, 'checkpoints'))).toEqual([])
    await ctr('tasks', 'checkpoint', 'one')
    await expectRunning()
  })
})
