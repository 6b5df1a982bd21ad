import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  buildImage,
  pushImage,
  type Registry,
  randomLayer,
  startProcess,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { program, startServer, type TestServer } from './programs.ts'
import { type SlowProxy, startSlowProxy } from './slow-proxy.ts'

const size = 12_000_000

describeWith({ root: true, programs: ['docker-registry', 'skopeo'] }, 'an interrupted pull', () => {
  let resources: AsyncDisposableStack
  let server: TestServer
  let registry: Registry
  let proxy: SlowProxy
  let ref: string
  let layer: string

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    registry = resources.use(await startRegistry())
    const layout = resources.use(await tempDir('nsbox-layout')).path
    const image = await buildImage(layout, { layers: [randomLayer('interrupted', size, 'none')] })
    layer = image.manifests[0]!.layers[0]!.digest
    await pushImage(image, registry, 'library/interrupted:1')
    proxy = resources.use(await startSlowProxy(registry.host, 8_000_000))
    ref = `${proxy.host}/library/interrupted:1`
    server = resources.use(await startServer())
  })

  afterEach(() => resources.disposeAsync())

  const startPull = () => startProcess(program('dist'), ['-a', server.address, 'pull', ref])

  async function expectNothingHalfWritten() {
    expect((await server.dist(['images', 'ls', '-q'])).stdout).toBe('')
    expect((await server.dist(['content', 'ls', '-q'])).stdout).not.toContain(layer)
    expect((await server.dist(['content', 'get', layer])).code).toBe(1)
  }

  async function offset(): Promise<number> {
    const { stdout } = await server.dist(['content', 'active', '--json', `^layer-${layer}$`])
    const ingests = JSON.parse(stdout) as Array<{ offset: number }>
    return ingests[0]?.offset ?? 0
  }

  async function expectResumed(from: number) {
    const before = (await registry.accessLog()).length
    const { code, stderr } = await server.dist(['pull', ref])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const entries = (await registry.accessLog()).slice(before).filter(({ path }) => path.includes(layer))
    expect(entries).toMatchObject([{ method: 'GET', status: 206 }])
    expect(entries[0]!.bytes).toBeLessThanOrEqual(size + 10_000 - from)
    await expectWhole()
  }

  async function expectWhole() {
    const { stdoutBytes } = await server.dist(['content', 'get', layer])
    expect(`sha256:${createHash('sha256').update(stdoutBytes).digest('hex')}`).toBe(layer)
    expect((await server.dist(['content', 'active', '--json'])).stdout.trim()).toBe('[]')
    // Nothing of the attempts holds the image any longer than its name does.
    expect((await server.ctr(['leases', 'ls', '-q'])).stdout).toBe('')
  }

  it('goes on by range after the client was killed', async () => {
    await using pulling = await startPull()
    await proxy.passed(4_000_000)
    pulling.kill('SIGKILL')
    await pulling.exited
    // The server notices that nobody waits any more, and lets go of the registry.
    await expect.poll(offset).toBeGreaterThan(1_000_000)
    let before = -1
    const isStill = () => {
      const last = before
      before = proxy.bytes
      return last === before
    }
    await expect.poll(isStill, { interval: 500 }).toBe(true)
    await expectNothingHalfWritten()
    await expectResumed(await offset())
  })

  it('ends with status 130 on an interrupt, and goes on by range', async () => {
    await using pulling = await startPull()
    await proxy.passed(4_000_000)
    pulling.kill('SIGINT')
    expect((await pulling.exited).code).toBe(130)
    await expect.poll(() => pulling.output).toContain('dist: interrupted by SIGINT: context canceled')
    await expect.poll(offset).toBeGreaterThan(1_000_000)
    await expectResumed(await offset())
  })

  it('goes on by range after the server was killed', async () => {
    await using pulling = await startPull()
    await proxy.passed(4_000_000)
    await server.kill()
    expect((await pulling.exited).code).toBe(1)
    await server.restart()
    await expectNothingHalfWritten()
    const from = await offset()
    expect(from).toBeGreaterThan(1_000_000)
    await expectResumed(from)
  })

  it('survives a registry that is killed and comes back, without starting over', async () => {
    await using pulling = await startPull()
    await proxy.passed(4_000_000)
    await registry.kill()
    await sleep(200)
    await registry.restart()
    expect(await pulling.exited).toMatchObject({ code: 0 })
    const entries = (await registry.accessLog()).filter(
      ({ method, path }) => method === 'GET' && path.includes(layer),
    )
    expect(entries.at(-1)).toMatchObject({ status: 206 })
    await expectWhole()
  })

  it('says that the registry is gone when it stays away, and goes on once it is back', async () => {
    await using pulling = await startPull()
    await proxy.passed(4_000_000)
    await registry.kill()
    expect((await pulling.exited).code).toBe(1)
    expect(pulling.output).toMatch(/^dist: .*unavailable$/m)
    await expectNothingHalfWritten()
    const from = await offset()
    await registry.restart()
    await expectResumed(from)
  })
})
