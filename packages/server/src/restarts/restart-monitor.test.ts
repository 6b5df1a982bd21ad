import { type Container, restartLabels } from '@nsbox/core/containers'
import { NsboxError } from '@nsbox/errors'
import { Timestamp } from '@nsbox/time'
import { expect, test } from 'vitest'
import { RestartMonitor, type RestartMonitorOptions } from './restart-monitor.ts'

const labels = { [restartLabels.status]: 'running' }
const typeUrl = 'types.containerd.io/opencontainers/runtime-spec/1/Spec'
const updatedAt = Timestamp.epoch
/** What never answers, whatever its signal says. */
const hang = () => new Promise<never>(() => undefined)

/** A monitor of containers whose tasks are missing, and what it has done for each. */
function monitored(ids: readonly string[], hangs: (id: string, call: 'get' | 'create') => boolean) {
  const done: string[] = []
  const said: string[] = []
  const answer = (call: 'get' | 'create', id: string) => {
    done.push(`${call} ${id}`)
    return hangs(id, call) ? hang() : Promise.resolve(1)
  }
  const missing = new NsboxError('not_found', 'task')
  const tasks = {
    get: (id: string) => answer('get', id).then(() => Promise.reject(missing)),
    create: (id: string) => answer('create', id),
    start: async (id: string) => done.push(`start ${id}`),
    kill: hang,
    wait: hang,
    delete: hang,
  }
  const monitor = new RestartMonitor({
    metadata: {
      async *restartable() {
        for (const id of ids) yield { namespace: 'ns', id, labels, updatedAt }
      },
      durable: async () => undefined,
    },
    containers: () => ({
      get: async (id) =>
        ({ id, labels, spec: { typeUrl, value: Buffer.from('{}') } }) as unknown as Container,
      update: async (change) => change as Container,
    }),
    tasks: () => tasks as unknown as ReturnType<RestartMonitorOptions['tasks']>,
    isSealed: () => false,
    interval: 10,
    patience: { look: 20, change: 20 },
    log: {
      debug: () => undefined,
      error: (fields: unknown) => said.push(String((fields as { err: unknown }).err)),
      warn: (fields: unknown) => {
        const { container, err } = fields as { container: string; err: NsboxError }
        said.push(`${container} ${err.code}`)
      },
    } as RestartMonitorOptions['log'],
  })
  return { monitor, done, said, count: (what: string) => done.filter((each) => each === what).length }
}

const many = Array.from({ length: 40 }, (_, n) => `hung${n}`)

test.each(['get', 'create'] as const)(
  'runtimes that hang in %s hold up no other, and are asked once',
  async (call) => {
    const { monitor, said, count } = monitored(
      [...many, 'well'],
      (id, asked) => id !== 'well' && asked === call,
    )
    await using _ = monitor
    await expect.poll(() => count('start well'), { timeout: 20_000 }).toBeGreaterThan(2)
    expect(count(`${call} hung0`)).toBe(1)
    expect(new Set(said.map((each) => each.split(' ')[1]))).toEqual(new Set(['deadline_exceeded']))
  },
)

test('a monitor ends though a runtime hangs', async () => {
  const { monitor, count } = monitored(['hung'], () => true)
  await expect.poll(() => count('get hung')).toBe(1)
  await monitor[Symbol.asyncDispose]()
})
