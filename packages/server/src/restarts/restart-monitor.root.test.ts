import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from '@nsbox/client'
import { restartLabels } from '@nsbox/core/containers'
import { errorCode, isNotFound } from '@nsbox/errors'
import type { Digest } from '@nsbox/oci'
import type { Spec } from '@nsbox/oci/runtime-spec'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  importImage,
  kept,
  openTenantLab,
  type Party,
  specOf,
  type TenantLab,
  tenant,
} from '../testing/tenant-lab.ts'

const { status, policy, count, explicitlyStopped, logUri } = restartLabels
const always = { [status]: 'running' }

describeWith(
  { root: true, linux: true, programs: ['runc', 'busybox'] },
  'tasks of containers with labels',
  () => {
    let lab: TenantLab
    const images = new Map<Party, Digest>()
    beforeAll(async () => {
      lab = await openTenantLab('restarts', { restartInterval: 100 })
      for (const party of [lab.host, lab.a]) images.set(party, await importImage(lab, party))
    })
    afterAll(async () => {
      // What has no container is not started again while the lab ends its tasks.
      for (const { namespace } of [lab.host, lab.a]) {
        const { containers } = lab.host.client.withNamespace(namespace)
        for await (const { id } of containers.list()) await containers.delete(id)
      }
      await lab[Symbol.asyncDispose]()
    })

    const containerOf = ({ namespace }: Party, id: string, script: string) => ({
      ...{ id, snapshotter: 'overlayfs', snapshotKey: id },
      runtime: { name: 'io.containerd.runc.v2' },
      spec: specOf(namespace, id, ['sh', '-c', script]),
    })
    async function make(
      party: Party,
      id: string,
      script: string,
      labels: Record<string, string>,
      { containers }: Pick<Client, 'containers'> = party.client,
    ) {
      await party.client.snapshotter().prepare(id, images.get(party), kept)
      await containers.create({ ...containerOf(party, id, script), labels })
    }
    const run = async ({ client }: Party, id: string) => {
      await client.tasks.create(id)
      await client.tasks.start(id)
    }
    const restarts = async ({ client }: Party, id: string) =>
      Number((await client.containers.get(id)).labels[count] ?? 0)
    const state = async ({ client }: Party, id: string) => {
      try {
        return (await client.tasks.get(id)).status
      } catch (error) {
        if (isNotFound(error)) return 'none'
        throw error
      }
    }
    /** Waits until all containers have been looked at some more times, of which a container tells that always ends. */
    const looks = async (clock: Party, more = 3) => {
      const before = await restarts(clock, 'clock')
      await expect.poll(() => restarts(clock, 'clock'), { timeout: 20_000 }).toBeGreaterThan(before + more)
    }

    test('are started again by their policies, with their output in the file', {
      timeout: 90_000,
    }, async () => {
      const { host, directory } = lab
      const file = join(directory, 'fails.log')
      await make(host, 'clock', 'exit 0', always)
      await make(host, 'fails', 'echo run; exit 3', {
        ...always,
        ...{ [policy]: 'on-failure:2', [logUri]: `file://${file}` },
      })
      await make(host, 'never', 'exit 3', { ...always, [policy]: 'no' })
      await make(host, 'stopped', 'exit 3', {
        ...always,
        [policy]: 'unless-stopped',
        [explicitlyStopped]: 'true',
      })
      await make(host, 'over', 'sleep 1000', { [status]: 'stopped' })
      await make(host, 'paused', 'sleep 1000', {})
      for (const id of ['fails', 'never', 'over', 'paused']) await run(host, id)
      await host.client.tasks.pause('paused')
      await host.client.containers.update({ id: 'paused', labels: always }, ['labels'])

      await expect.poll(() => restarts(host, 'fails'), { timeout: 20_000 }).toBe(2)
      await expect.poll(() => state(host, 'fails')).toBe('stopped')
      await expect.poll(() => state(host, 'over')).toBe('none')
      await looks(host)
      expect(await restarts(host, 'fails')).toBe(2)
      expect(await readFile(file, 'utf8')).toBe('run\nrun\n')
      expect(await Promise.all(['never', 'stopped', 'paused'].map((id) => restarts(host, id)))).toEqual([
        0, 0, 0,
      ])
      expect(await state(host, 'stopped')).toBe('none')
      expect(await state(host, 'paused')).toBe('paused')
      // Frozen processes end as well.
      await host.client.containers.update({ id: 'paused', labels: { [status]: 'stopped' } }, ['labels'])
      await expect.poll(() => state(host, 'paused'), { timeout: 20_000 }).toBe('none')
      await host.client.containers.update({ id: 'clock', labels: { [status]: '' } }, ['labels'])
    })

    test('F03 of a tenant write to nothing of the host, and are started for those who may run them', {
      timeout: 90_000,
    }, async () => {
      const { host, a, directory, accessList } = lab
      const file = join(directory, 'tenant.log')
      await make(a, 'clock', 'exit 0', always)
      const operator = host.client.withNamespace(a.namespace)
      await make(a, 'logged', 'echo run', { ...always, [logUri]: `file://${file}` }, operator)
      await a.client.snapshotter().prepare('hooked', images.get(a), kept)
      const hooks = (spec: Spec): Spec => ({ ...spec, hooks: { createRuntime: [{ path: '/bin/true' }] } })
      const hooked = specOf(a.namespace, 'hooked', ['true'], hooks)
      await operator.containers.create({ ...containerOf(a, 'hooked', ''), spec: hooked, labels: always })
      await looks(a)
      expect(await Promise.all(['logged', 'hooked'].map((id) => restarts(a, id)))).toEqual([0, 0])
      expect(existsSync(file)).toBe(false)
      // The task keeps the tenant from changing what it is made of, but not from ending it.
      await a.client.containers.update({ id: 'clock', labels: { [status]: 'stopped' } }, [`labels.${status}`])

      const list = await readFile(accessList, 'utf8')
      await writeFile(accessList, tenant('a', a.namespace, ['read', 'write']))
      await lab.server.reload()
      const unasked = { ...containerOf(a, 'unasked', 'exit 0'), labels: always }
      // The connection has ended, whose peer has lost a right.
      await expect.poll(() => a.client.containers.create(unasked).catch(errorCode)).toBe('permission_denied')
      await writeFile(accessList, list)
      await lab.server.reload()
    })
  },
)
