import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { buildImage, pushImage, randomLayer, runOrThrow, startRegistry, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { expect, it } from 'vitest'
import { startServer } from './programs.ts'

describeWith({ root: true, linux: true, programs: ['docker-registry', 'skopeo'] }, 'a full disk', () => {
  it('D21 refuses a pull with a coded error, gives its room back, and pulls once there is enough', async () => {
    await using stack = new AsyncDisposableStack()
    const registry = stack.use(await startRegistry())
    const { path } = stack.use(await tempDir('nsbox-disk-full'))
    const layers = [randomLayer('small', 1_000_000, 'none'), randomLayer('large', 24_000_000, 'none')]
    const image = await buildImage(join(path, 'layout'), { layers })
    const { reference } = await pushImage(image, registry, 'library/large:1')

    const disk = join(path, 'disk')
    await mkdir(disk)
    await runOrThrow('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', disk])
    stack.defer(async () => void (await runOrThrow('umount', [disk])))
    const server = stack.use(await startServer({ root: join(disk, 'root') }))

    const refused = await server.dist(['pull', reference])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/^dist: .*no space left on device.*: resource exhausted$/m)
    expect((await server.dist(['images', 'ls', '-q'])).stdout).toBe('')
    expect(await server.ctr(['version'])).toMatchObject({ code: 0 })
    expect(JSON.parse((await server.dist(['content', 'active', '--json'])).stdout)).toEqual([])
    expect((await server.ctr(['leases', 'ls', '-q'])).stdout).toBe('')
    expect(await server.ctr(['content', 'ls', '-q'])).toMatchObject({ stdout: '' })

    await runOrThrow('mount', ['-o', 'remount,size=80m', disk])
    expect(await server.dist(['pull', reference])).toMatchObject({ code: 0 })
    expect((await server.ctr(['images', 'check'])).stdout).toContain('complete (3/3)')
  })
})
