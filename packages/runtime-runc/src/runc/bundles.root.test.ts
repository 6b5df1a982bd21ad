import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Bundles } from '@nsbox/bundle'
import { listMounts, mount, unmount } from '@nsbox/mount'
import { run, runOrThrow, scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { Runc } from '../runc/runc.ts'
import { busyboxRootfs, testSpec } from '../testing/busybox-bundle.ts'

const typeUrl = 'types.containerd.io/opencontainers/runtime-spec/1/Spec'
const specOf = (value: unknown) => ({ typeUrl, value: Buffer.from(JSON.stringify(value)) })
const spec = specOf({ process: {} })

/** Bundles, and a directory `source` with a file to mount. */
async function prepared() {
  const scratch = await scratchMount()
  await chmod(scratch.path, 0o711)
  const source = join(scratch.path, 'source')
  await mkdir(source)
  await writeFile(join(source, 'file'), 'content')
  const directory = join(scratch.path, 'bundles')
  const bind = { type: 'bind', source, options: ['rbind', 'rw'] }
  const mounted = async () => (await listMounts({ under: directory })).map(({ mountPoint }) => mountPoint)
  return { scratch, source, directory, bind, bundles: new Bundles(directory), mounted }
}

const modeOf = async (path: string) => (await stat(path)).mode & 0o7777

describeWith({ root: true, linux: true, programs: ['runc', 'busybox'] }, 'Bundles', () => {
  test('have the spec to the byte, and the root file system mounted', async () => {
    const { scratch, bundles, bind, directory, mounted } = await prepared()
    await using _ = scratch
    const verbatim = { typeUrl, value: Buffer.from('{ "process" : {},\n "unknown": [1e2] }') }
    const bundle = await bundles.create('ns', 'a', { spec: verbatim, rootfs: [bind] })
    expect(bundle.path).toBe(join(directory, 'ns/a'))
    expect(await readFile(bundle.config)).toEqual(verbatim.value)
    expect(await readFile(join(bundle.rootfs, 'file'), 'utf8')).toBe('content')
    expect(await mounted()).toEqual([bundle.rootfs])
    expect(
      await Promise.all([directory, join(directory, 'ns'), bundle.path, bundle.config].map(modeOf)),
    ).toEqual([0o711, 0o711, 0o700, 0o600])
    expect(bundles.open('ns', 'a').path).toBe(bundle.path)
    await expect(bundles.create('ns', 'a', { spec, rootfs: [] })).rejects.toMatchObject({
      code: 'already_exists',
    })
    expect(await mounted()).toEqual([bundle.rootfs])
    await bundle.remove()
    await bundle.remove()
    expect(await readdir(directory)).toEqual([])
    expect(await mounted()).toEqual([])
    expect(await readFile(join(bind.source, 'file'), 'utf8')).toBe('content')
    expect(() => bundles.open('ns', 'a')).toThrow(expect.objectContaining({ code: 'not_found' }))
  })

  test('leave nothing when a step fails', async () => {
    const { scratch, bundles, bind, directory, mounted } = await prepared()
    await using _ = scratch
    const bad = { type: 'tmpfs', source: 'tmpfs', options: ['no-such-option'] }
    const failures = [
      { spec, rootfs: [bind, bad] },
      { spec, rootfs: [{ ...bind, source: '/nonexistent' }] },
      { spec, rootfs: [bind, { ...bind, target: 'nowhere' }] },
      { spec: { typeUrl, value: Buffer.from('[]') }, rootfs: [bind] },
      { spec, rootfs: [bind], signal: AbortSignal.abort() },
    ]
    for (const contents of failures) {
      await expect(bundles.create('ns', 'a', contents)).rejects.toThrow()
      expect(await mounted()).toEqual([])
      expect(await readdir(directory).catch(() => [])).toEqual([])
    }
    await expect(bundles.create('ns', '../a', { spec, rootfs: [] })).rejects.toMatchObject({
      code: 'invalid_argument',
    })
    await expect(bundles.create('..', 'a', { spec, rootfs: [] })).rejects.toMatchObject({
      code: 'invalid_argument',
    })
  })

  test('that a crash left are found and removed, whatever had been done', async () => {
    const { scratch, bundles, bind, directory } = await prepared()
    await using _ = scratch
    expect(bundles.list()).toEqual([])
    await bundles.create('one', 'whole', { spec, rootfs: [bind] })
    await mkdir(join(directory, 'one/empty'))
    await mkdir(join(directory, 'two/no-mount/rootfs/proc'), { recursive: true })
    await mkdir(join(directory, 'two/execs/execs/e'), { recursive: true })
    await writeFile(join(directory, 'two/execs/execs/e/process.json'), '{}')
    const found = bundles.list()
    expect(found.map(({ namespace, id }) => `${namespace}/${id}`).sort()).toEqual([
      'one/empty',
      'one/whole',
      'two/execs',
      'two/no-mount',
    ])
    await Promise.all(found.map((bundle) => bundle.remove()))
    expect(await readdir(directory)).toEqual([])
  })

  test('of one namespace come and go at once', async () => {
    const { scratch, bundles, directory } = await prepared()
    await using _ = scratch
    const cycle = async (id: string) => {
      for (let turn = 0; turn < 20; turn++)
        await (await bundles.create('ns', id, { spec, rootfs: [] })).remove()
    }
    const ends = await Promise.allSettled(['a', 'b', 'c', 'd'].map(cycle))
    expect(ends.filter(({ status }) => status === 'rejected')).toEqual([])
    expect(await readdir(directory)).toEqual([])
  })

  test('have the files of execs', async () => {
    const { scratch, bundles } = await prepared()
    await using _ = scratch
    const bundle = await bundles.create('ns', 'a', { spec, rootfs: [] })
    const files = bundle.addExec('e', Buffer.from('{"args":[]}'))
    expect(await readFile(files.process, 'utf8')).toBe('{"args":[]}')
    expect(() => bundle.addExec('e', Buffer.from('{}'))).toThrow(
      expect.objectContaining({ code: 'already_exists' }),
    )
    expect(() => bundle.addExec('..', Buffer.from('{}'))).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    )
    expect(bundle.execFiles('e')).toEqual(files)
    expect(bundle.execIds()).toEqual(['e'])
    await writeFile(files.log, '')
    bundle.removeExec('e')
    bundle.removeExec('e')
    expect(bundle.execIds()).toEqual([])
    expect(await readdir(bundle.path)).not.toContain('execs')
    bundle.addExec('e', Buffer.from('{}'))
    await bundle.remove()
    expect(bundles.list()).toEqual([])
  })

  test('D09: a target that leads elsewhere is not followed', async () => {
    const { scratch, bundles, bind, source } = await prepared()
    await using _ = scratch
    const outside = join(scratch.path, 'outside')
    await mkdir(outside)
    await symlink(outside, join(source, 'link'))
    const tmpfs = { type: 'tmpfs', source: 'tmpfs', options: [] }
    for (const target of ['link', '../../../outside', outside])
      await expect(
        bundles.create('ns', 'a', { spec, rootfs: [bind, { ...tmpfs, target }] }),
      ).rejects.toMatchObject({ code: 'not_found' })
    expect((await listMounts({ under: scratch.path })).map(({ mountPoint }) => mountPoint)).toEqual([
      scratch.path,
    ])
  })

  test('D09: what is mounted in a root file system does not show where it comes from', async () => {
    const { scratch, bundles, bind, source } = await prepared()
    await using _ = scratch
    await mkdir(join(source, 'inner'))
    await mount({ type: 'bind', source, options: ['bind', 'shared'] }, source)
    const inner = { type: 'tmpfs', source: 'tmpfs', options: [], target: 'inner' }
    const bundle = await bundles.create('ns', 'a', { spec, rootfs: [bind, inner] })
    expect((await listMounts({ under: join(source, 'inner') })).length).toBe(0)
    expect((await listMounts({ under: bundle.rootfs })).length).toBe(2)
    await bundle.remove()
    await unmount(source)
  })

  test('D10: nothing is removed from what is mounted in a wrong place', async () => {
    const { scratch, bundles, bind, mounted } = await prepared()
    await using _ = scratch
    const bundle = await bundles.create('ns', 'a', { spec, rootfs: [bind] })
    const wrong = join(bundle.path, 'wrong')
    await mkdir(wrong)
    await mount({ type: 'bind', source: bind.source, options: ['rbind'] }, wrong)
    await expect(bundle.remove()).rejects.toMatchObject({ code: 'failed_precondition' })
    expect(await mounted()).toEqual([wrong])
    expect(await readFile(join(bind.source, 'file'), 'utf8')).toBe('content')
    await unmount(wrong)
    await bundle.remove()
  })

  test('D10: a root file system in use, and with mounts of others in it, goes without losing files', async () => {
    const { scratch, bundles, bind, directory, mounted, source } = await prepared()
    await using _ = scratch
    await mkdir(join(source, 'inner'))
    const bundle = await bundles.create('ns', 'a', { spec, rootfs: [bind, bind] })
    await mount({ type: 'tmpfs', source: 'tmpfs', options: [] }, join(bundle.rootfs, 'inner'))
    const user = spawn('sleep', ['1000'], { cwd: bundle.rootfs, stdio: 'ignore' })
    const ended = new Promise((resolve) => user.once('exit', resolve))
    try {
      await bundle.remove()
    } finally {
      user.kill('SIGKILL')
      await ended
    }
    expect(await mounted()).toEqual([])
    expect(await readdir(directory)).toEqual([])
    expect(await readFile(join(source, 'file'), 'utf8')).toBe('content')
  })

  test('go when a recursive bind mount of a directory above them has ended, which copies their mounts', async () => {
    const { scratch, bundles, bind, directory } = await prepared()
    await using _ = scratch
    const bundle = await bundles.create('ns', 'a', { spec, rootfs: [bind] })
    const view = join(scratch.path, 'view')
    await mkdir(view)
    await mount({ type: 'bind', source: directory, options: ['rbind', 'rprivate'] }, view)
    await expect(bundle.remove()).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining(`${view}/ns/a/rootfs`),
    })
    const removed = bundle.remove()
    await unmount(view, { recursive: true })
    await removed
    expect(await readdir(directory)).toEqual([])
  })

  test('are entered by the root of a container with ids of its own', async () => {
    const { scratch, bundles } = await prepared()
    await using _ = scratch
    const rootfs = join(scratch.path, 'busybox')
    await mkdir(rootfs)
    await busyboxRootfs(rootfs)
    await runOrThrow('chown', ['--recursive', '--no-dereference', '200000:200000', rootfs])
    const id = `t${randomBytes(6).toString('hex')}`
    const container = specOf(testSpec({ args: ['true'], userNamespace: 200000, cgroupsPath: `/nsbox-${id}` }))
    const mounts = [{ type: 'bind', source: rootfs, options: ['rbind', 'rw'] }]
    const bundle = await bundles.create('ns', id, { spec: container, rootfs: mounts })
    expect(await modeOf(bundle.path)).toBe(0o710)
    const runc = new Runc({ root: join(scratch.path, 'root') })
    const [program, ...args] = runc.createArguments(id, {
      bundle: bundle.path,
      log: bundle.log,
      pidFile: join(bundle.path, 'pid'),
    })
    try {
      const script = 'exec "$@" < /dev/null > /dev/null 2>&1'
      const { code } = await run('sh', ['-c', script, 'sh', program!, ...args])
      expect({ code, log: await readFile(bundle.log, 'utf8') }).toEqual({ code: 0, log: '' })
      await runc.start(id)
    } finally {
      await runc.delete(id, { force: true })
      await bundle.remove()
    }
  })
})
