import { errorCode } from '@nsbox/errors'
import { labelKeys } from '@nsbox/oci'
import { type Containerd, startContainerd } from '@nsbox/testing'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { connect } from './client.ts'

let containerd: Containerd

beforeAll(async () => {
  containerd = await startContainerd()
})
afterAll(() => containerd?.[Symbol.asyncDispose]())

test('says which server it talks to', async () => {
  await using client = connect({ address: `unix://${containerd.address}`, namespace: 'asking' })
  expect(await client.version()).toMatchObject({ version: expect.stringMatching(/^1\.7\./) })
  const { uuid, pid } = await client.introspection.server()
  expect(uuid).toMatch(/^[0-9a-f-]{36}$/)
  expect(pid).toBe(containerd.process.pid)
  const overlay = await client.introspection.plugins(['type==io.containerd.snapshotter.v1, id==overlayfs'])
  expect(overlay).toHaveLength(1)
  expect(overlay[0]).toMatchObject({ type: 'io.containerd.snapshotter.v1', id: 'overlayfs' })
  expect(overlay[0]?.platforms[0]?.os).toBe('linux')
  const failed = (await client.introspection.plugins()).filter(({ initError }) => initError)
  for (const { initError } of failed) expect(initError?.message).not.toBe('')
})

test('views share a connection and differ in namespace and lease', async () => {
  await using client = connect({ address: containerd.address, namespace: 'one' })
  const other = client.withNamespace('two')
  await client.leases.create({ id: 'of-one' })
  expect(await other.leases.list()).toEqual([])
  expect((await client.leases.list()).map(({ id }) => id)).toEqual(['of-one'])
  const leased = client.withLease('of-one')
  expect([leased.namespace, leased.lease]).toEqual(['one', 'of-one'])
  expect(leased.withNamespace('two').lease).toBeUndefined()
  await using writer = await leased.content.writer({ ref: 'held' })
  await writer[Symbol.asyncDispose]()
  expect(await client.leases.resources('of-one')).toEqual([{ type: 'ingests', id: 'held' }])
  await client.leases.delete('of-one', { sync: true })
  expect(await client.content.statuses()).toEqual([])
})

test('a lease of its own expires, and ends with its owner', async () => {
  await using client = connect({ address: containerd.address, namespace: 'leasing' })
  {
    await using lease = await client.createLease({ expiresIn: 3_600_000, labels: { purpose: 'test' } })
    const [held] = await client.leases.list()
    expect(held).toMatchObject({ id: lease.id, labels: { purpose: 'test' } })
    const expiry = Date.parse(held?.labels[labelKeys.gcExpire] ?? '')
    expect(Math.abs(expiry - Date.now() - 3_600_000)).toBeLessThan(60_000)
    expect(lease.client.lease).toBe(lease.id)
  }
  expect(await client.leases.list()).toEqual([])
  await using lost = await client.createLease()
  await client.leases.delete(lost.id)
})

test('follows the environment where it is not told', async () => {
  vi.stubEnv('CONTAINERD_ADDRESS', containerd.address)
  vi.stubEnv('CONTAINERD_NAMESPACE', 'of-the-environment')
  try {
    await using client = connect()
    expect([client.address, client.namespace]).toEqual([containerd.address, 'of-the-environment'])
    await client.version()
  } finally {
    vi.unstubAllEnvs()
  }
})

test.each(['', 'a/b', 'x'.repeat(77)])('D07 refuses the namespace %j before it connects', (namespace) => {
  let thrown: unknown
  try {
    connect({ address: '/nowhere.sock', namespace })
  } catch (error) {
    thrown = error
  }
  expect(errorCode(thrown)).toBe(namespace === '' ? 'failed_precondition' : 'invalid_argument')
})
