import { join } from 'node:path'
import { type Client, connect } from '@nsbox/client'
import { type RunResult, startContainerd, startRegistry } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { expect, it } from 'vitest'
import { type ContainerLab, openContainerLab } from './container-lab.ts'
import { counter } from './counter.ts'
import { numbersOf } from './numbers-of.ts'
import { startServer } from './programs.ts'

describeWith(
  { root: true, programs: ['containerd', 'ctr', 'runc', 'criu', 'docker-registry'] },
  'checkpoints on other servers',
  () => {
    it.each(['containerd', 'nsbox-server'])(
      'a container of %s goes on elsewhere, out of an archive',
      { timeout: 120_000 },
      async (origin) => {
        await using resources = new AsyncDisposableStack()
        const labs = {
          containerd: await openLab(resources, 'travel-containerd', startContainerd),
          'nsbox-server': await openLab(resources, 'travel-nsbox', startServer),
        }
        const [from, to] = origin === 'containerd' ? Object.values(labs) : Object.values(labs).reverse()
        await checkpoint(from!, 'cp:travel')
        const archive = join(from!.directory, 'checkpoint.tar')
        await good(from!.ctr(['images', 'export', archive, 'cp:travel']))
        // Nobody there knows the image but by the archive.
        await good(to!.stock(['images', 'rm', '--sync', to!.image]))
        await good(to!.ctr(['images', 'import', archive]))
        await goesOn(to!, 'cp:travel')
        expect(await good(to!.ctr(['images', 'ls', '-q']))).toBe('cp:travel\n')
      },
    )

    it('a container goes on elsewhere, out of a registry', { timeout: 120_000 }, async () => {
      await using resources = new AsyncDisposableStack()
      const registry = resources.use(await startRegistry())
      const from = await openLab(resources, 'push-origin', startServer)
      const to = await openLab(resources, 'push-target', startServer)
      const name = `${registry.host}/checkpoint:1`
      await checkpoint(from, name)
      await using origin = connect({ address: from.address, namespace: from.namespace })
      await origin.push(name, { defaultScheme: 'http' })
      await good(to.stock(['images', 'rm', '--sync', to.image]))
      await using target = connect({ address: to.address, namespace: to.namespace })
      await target.pull(name, { defaultScheme: 'http', unpack: {} })
      await goesOn(to, name)
    })
  },
)

async function openLab(
  resources: AsyncDisposableStack,
  name: string,
  start: () => Promise<{ readonly address: string } & AsyncDisposable>,
): Promise<ContainerLab> {
  const { address } = resources.use(await start())
  return resources.use(await openContainerLab(address, name))
}

/** Makes a checkpoint of a container that counts, with all that it needs. */
async function checkpoint(lab: ContainerLab, name: string): Promise<void> {
  await good(lab.ctr(['run', '-d', '--null-io', lab.image, 'origin', ...counter()]))
  await using client = connect({ address: lab.address, namespace: lab.namespace })
  await expect.poll(() => numbersOf(client, 'origin')).toContain(3)
  await good(lab.ctr(['containers', 'checkpoint', '--rw', '--image', '--task', 'origin', name]))
}

/** Restores it, and expects that it counts on and has begun only once. */
async function goesOn(lab: ContainerLab, name: string): Promise<void> {
  await good(lab.ctr(['containers', 'restore', '--null-io', '--rw', '--live', 'traveller', name]))
  await using client: Client = connect({ address: lab.address, namespace: lab.namespace })
  let numbers: number[] = []
  const countsOn = async () => {
    const before = numbers.length
    numbers = await numbersOf(client, 'traveller')
    return before > 3 && numbers.length > before
  }
  await expect.poll(countsOn).toBe(true)
  expect(numbers).toEqual(numbers.map((_, n) => n + 1))
}

/** What a command prints, where it succeeds. */
async function good(result: Promise<RunResult>): Promise<string> {
  const { code, stdout, stderr } = await result
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}
