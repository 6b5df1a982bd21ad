import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { errorCode } from '@nsbox/errors'
import { bindMount, encodeSpec, type SpecOption, withCwd, withMounts } from '@nsbox/oci/runtime-spec'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { openTaskLab, type TaskLab } from './task-lab.ts'

const types = 'types.containerd.io/opencontainers/runtime-spec/1/'

describeWith({ root: true, linux: true, programs: ['runc', 'busybox'] }, 'containers that mean harm', () => {
  let lab: TaskLab
  beforeAll(async () => {
    lab = await openTaskLab('hostile-containers')
  })
  afterEach(() => lab.removeAll())
  afterAll(() => lab[Symbol.asyncDispose]())

  /** What a container writes. */
  async function output(id: string, args: readonly string[], spec: readonly SpecOption[]): Promise<string> {
    await using task = await lab.start(id, args, { spec })
    const [written] = await Promise.all([text(task.stdout!), task.finished()])
    return written
  }
  async function refusal(attempt: Promise<unknown>): Promise<string | undefined> {
    return errorCode(
      await attempt.then(
        () => undefined,
        (error: unknown) => error,
      ),
    )
  }

  it('B14 a mount stays in the root filesystem, whatever links lead out of it', async () => {
    await using host = await tempDir()
    await mkdir(join(host.path, 'source'))
    await writeFile(join(host.path, 'source/file'), 'mounted')
    await mkdir(join(host.path, 'target'))
    await symlink(`../../../../../../..${host.path}/target`, join(lab.rootfs, 'relative'))
    await symlink(`${host.path}/target`, join(lab.rootfs, 'absolute'))
    const mounts = ['relative', 'absolute'].map((name) =>
      bindMount(join(host.path, 'source'), `/${name}/made`),
    )
    const read = ['cat', '/relative/made/file', '/absolute/made/file']
    expect(await output('links', read, [withMounts(mounts)])).toBe('mountedmounted')
    expect(await readdir(join(host.path, 'target'))).toEqual([])
    for (const name of ['relative', 'absolute']) await rm(join(lab.rootfs, name))
  })

  it('B15 variables of one process are not another’s', async () => {
    await using task = await lab.start('first', ['sleep', '1000'], { output: 'ignore' })
    await using exec = await task.exec({ args: ['env'], env: ['SECRET=one'] })
    await exec.start()
    expect(await text(exec.stdout!)).toContain('SECRET=one')
    await using other = await task.exec({ args: ['env'] })
    await other.start()
    expect(await text(other.stdout!)).not.toContain('SECRET')
    expect(await output('second', ['env'], [])).not.toContain('SECRET')
  })

  it('B16 a NUL and a name of two lines are refused by whoever makes a spec, a NUL by the runtime too', async () => {
    await using task = await lab.start('named', ['sleep', '1000'], { output: 'ignore' })
    for (const variable of ['A=b\0c', 'A\nB=c', '=c']) {
      const changed: SpecOption = (made) => ({ ...made, process: { ...made.process!, env: [variable] } })
      expect(await refusal(lab.start('hostile', ['env'], { spec: [changed] }))).toBe('invalid_argument')
    }
    const process = { args: ['env'], env: ['A=b\0c', 'PATH=/bin'], cwd: '/', user: { uid: 0, gid: 0 } }
    const value = encodeSpec(process)
    await lab.client.tasks.exec('named', 'hostile', { spec: { typeUrl: `${types}Process`, value } })
    await expect(lab.client.tasks.start('named', { execId: 'hostile' })).rejects.toThrow(
      /invalid argument|NUL|null/i,
    )
    expect(await task.status()).toMatchObject({ status: 'running' })
  })

  it('B18 a container has no descriptor of the host’s, and starts in none', async () => {
    const list = ['sh', '-c', 'ls /proc/1/fd; ls -l /proc/1/fd | grep -v pipe: | grep -c tmp']
    const [names = ''] = (await output('open', list, [])).split('\n0\n')
    expect(names.split(/\s+/)).toEqual(['0', '1', '2'])
    for (const cwd of ['/proc/self/fd/7', '/proc/1/fd/8/../..', '/dev/fd/9']) {
      const started = lab.start('inside', ['pwd'], { spec: [withCwd(cwd)] })
      expect(await refusal(started), cwd).toBe('invalid_argument')
    }
    // A link of the image's that leads there gets nowhere.
    await symlink('/proc/self/fd/7', join(lab.rootfs, 'linked'))
    await refusal(lab.start('linked', ['ls', '../../..'], { spec: [withCwd('/linked')] }))
    expect(await refusal(lab.client.tasks.get('linked'))).toBe('not_found')
    await rm(join(lab.rootfs, 'linked'))
  })

  it('D08 output goes through no link and to no device, directory or unknown scheme', async () => {
    await using host = await tempDir()
    const victim = join(host.path, 'victim')
    await writeFile(victim, 'untouched')
    await symlink(victim, join(host.path, 'link'))
    await using task = await lab.start('spoken', ['sleep', '1000'], { output: 'ignore' })
    const process = { args: ['echo', 'harm'], env: ['PATH=/bin'], cwd: '/', user: { uid: 0, gid: 0 } }
    const spec = {
      typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Process',
      value: encodeSpec(process),
    }
    const outputs = [
      join(host.path, 'link'),
      `file://${join(host.path, 'link')}`,
      '/dev/zero',
      host.path,
      'http://host/log',
    ]
    for (const [n, stdout] of outputs.entries()) {
      const execId = `harm-${n}`
      const attempt = (async () => {
        await lab.client.tasks.exec('spoken', execId, {
          spec,
          stdin: '',
          stdout,
          stderr: '',
          terminal: false,
        })
        await lab.client.tasks.start('spoken', { execId })
      })()
      expect([stdout, await refusal(attempt)]).toEqual([stdout, 'invalid_argument'])
    }
    expect(await task.status()).toMatchObject({ status: 'running' })
  })
})
