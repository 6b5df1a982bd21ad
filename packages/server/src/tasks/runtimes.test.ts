import type { RuntimeTasks } from '@nsbox/core/tasks'
import { expect, test } from 'vitest'
import { noTracer } from '../tracing/tracer.ts'
import { runtimesOf } from './runtimes.ts'

/** Runtimes that only say which of them was asked to make a task, and of which name. */
function runtimes() {
  const asked: string[] = []
  const runtime = (kind: string) => ({
    namespace: () =>
      ({
        has: () => false,
        create: async (_id, { runtimeName, runtimePath }) => {
          asked.push([kind, runtimeName, runtimePath].join(' ').trim())
          return { pid: 1 }
        },
      }) as Pick<RuntimeTasks, 'has' | 'create'> as RuntimeTasks,
  })
  const runcShim = (namespace: string) => (namespace === 'tenant' ? undefined : '/the/shim')
  const all = runtimesOf({ runc: runtime('runc'), shims: runtime('shim'), runcShim, tracer: noTracer })
  const none = runtimesOf({
    runc: runtime('runc'),
    shims: runtime('shim'),
    runcShim: () => undefined,
    tracer: noTracer,
  })
  return { all, none, asked }
}

const spec = { typeUrl: '', value: new Uint8Array() }
const runc = 'io.containerd.runc.v2'

test('a shim runs what is of runc where it is told one, but not for tenants', async () => {
  const { all, none, asked } = runtimes()
  for (const [runtime, namespace] of [
    [none, 'any'],
    [all, 'any'],
    [all, 'tenant'],
  ] as const)
    await runtime.namespace(namespace).create('x', { runtimeName: runc, spec, rootfs: [] })
  expect(asked).toEqual([`runc ${runc}`, 'shim /the/shim', `runc ${runc}`])
})

test('a path of a runtime is that of a shim, and counts before the name', async () => {
  const { all, none, asked } = runtimes()
  for (const runtime of [all, none])
    for (const runtimePath of ['/another', runc, undefined]) {
      const runtimeName = runtimePath === runc ? '/other' : 'io.containerd.runsc.v1'
      await runtime.namespace('any').create('x', { runtimeName, runtimePath, spec, rootfs: [] })
    }
  const named = 'shim io.containerd.runsc.v1'
  expect(asked).toEqual(['shim /another', 'shim /the/shim', named, 'shim /another', 'runc /other', named])
})
