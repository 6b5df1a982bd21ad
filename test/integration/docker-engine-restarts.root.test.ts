import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeWith } from '@nsbox/testing/describe-with'
import { beforeEach, expect, it, vi } from 'vitest'
import { counted, counter } from './counter.ts'
import { type EngineLab, engineNeeds, useEngine } from './docker-engine.ts'

describeWith(engineNeeds, 'Docker Engine with containers that run', () => {
  const engine = useEngine()
  let lab: EngineLab
  let image: string
  beforeEach(() => {
    ;({ lab, image } = engine())
  })

  const state = (name: string, fields: string) => lab.told(['inspect', '-f', fields, name])
  const start = (name: string, flags: readonly string[], command: readonly string[]) =>
    lab.told(['run', '-d', '--network', 'none', '--name', name, ...flags, image, ...command])
  /** Starts a container that counts. */
  async function counting(name: string): Promise<AsyncDisposable> {
    await start(name, [], counter())
    await goesOn(name)
    return { [Symbol.asyncDispose]: async () => void (await lab.told(['rm', '-f', name])) }
  }
  /** Waits until the log of a container has more of its numbers, none of which is missing. */
  async function goesOn(name: string): Promise<void> {
    const now = async () => counted((await lab.docker(['logs', name])).stdout)
    const before = await now()
    await expect.poll(now).toBeGreaterThan(before + 3)
  }

  /** Starts a container that ends with status 9 once it is told to. */
  async function ending(name: string) {
    const shared = join(lab.directory, name)
    await mkdir(shared)
    const script = 'until test -e /shared/go; do sleep 0.05; done; exit 9'
    await start(name, ['-v', `${shared}:/shared`], ['sh', '-c', script])
    const pid = await state(name, '{{.State.Pid}}')
    return {
      async end() {
        await writeFile(join(shared, 'go'), '')
        await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false)
      },
      [Symbol.asyncDispose]: async () => void (await lab.told(['rm', '-f', name])),
    }
  }

  it('takes their output while the server is away, and learns what became of them when it is back', async () => {
    await using _ = await counting('outlives')
    await using other = await ending('ends')
    const pid = await state('outlives', '{{.State.Pid}}')
    await lab.server.kill()
    await goesOn('outlives')
    await other.end()
    expect(await state('ends', '{{.State.Status}}')).toBe('running')
    await lab.server.restart()
    // The engine hears of ends by a subscription, and waits for ever for one that comes before it has made that anew.
    const inside = () => lab.docker(['exec', 'outlives', 'true'], { timeout: 5_000 })
    await vi.waitFor(async () => expect(await inside()).toMatchObject({ code: 0 }), { timeout: 60_000 })
    await expect.poll(() => state('ends', '{{.State.Status}} {{.State.ExitCode}}')).toBe('exited 9')
    expect(await state('outlives', '{{.State.Status}} {{.State.Pid}}')).toBe(`running ${pid}`)
    await goesOn('outlives')
    await lab.told(['kill', 'outlives'])
    await expect.poll(() => state('outlives', '{{.State.Status}} {{.State.ExitCode}}')).toBe('exited 137')
  })

  it('lives itself through a restart without them noticing', async () => {
    await using _ = await counting('undisturbed')
    const pid = await state('undisturbed', '{{.State.Pid}}')
    await lab.restart()
    expect(await state('undisturbed', '{{.State.Status}} {{.State.Pid}}')).toBe(`running ${pid}`)
    expect(await lab.told(['exec', 'undisturbed', 'echo', 'inside'])).toBe('inside')
    await goesOn('undisturbed')
    await lab.kill()
    await lab.restart()
    expect(await state('undisturbed', '{{.State.Status}} {{.State.Pid}}')).toBe(`running ${pid}`)
    await goesOn('undisturbed')
  })

  it('learns how one ended while neither it nor the server ran', async () => {
    await using container = await ending('unseen')
    await Promise.all([lab.kill(), lab.server.kill()])
    await container.end()
    await lab.server.restart()
    await lab.restart()
    expect(await state('unseen', '{{.State.Status}} {{.State.ExitCode}}')).toBe('exited 9')
  })
})
