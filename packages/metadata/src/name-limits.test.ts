import { isInvalidArgument } from '@nsbox/errors'
import { maxLabelBytes } from '@nsbox/namespaces'
import { digestOf } from '@nsbox/oci'
import { expect, test } from 'vitest'
import { withSubject } from './testing/collector-subject.ts'

const refused = async (work: Promise<unknown>): Promise<boolean> =>
  isInvalidArgument(await work.catch((error: unknown) => error))

test('E04 names that clients choose are bounded in bytes', () =>
  withSubject(async (subject) => {
    const { leases } = subject.ns
    const long = 'ä'.repeat(2049)
    expect(await refused(subject.image(long, digestOf('x')))).toBe(true)
    expect(await refused(leases.create({ id: long }))).toBe(true)
    await subject.image('n'.repeat(4096), digestOf('x'))
    const { id } = await leases.create({ id: 'i'.repeat(4096) })
    expect(await refused(leases.addResource(id, { type: 'images', id: long }))).toBe(true)
    expect(await refused(leases.addResource(id, { type: `snapshots/${long}`, id: 'x' }))).toBe(true)
    await leases.addResource(id, { type: 'images', id: 'n'.repeat(4096) })
  }))

test('E04 labels are bounded in bytes all together', () =>
  withSubject(async ({ ns }) => {
    const labels = (count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, index) => [
          `${index}`.padStart(8, '0'),
          'v'.repeat(maxLabelBytes - 8),
        ]),
      )
    await ns.leases.create({ labels: labels(1024) })
    expect(await refused(ns.leases.create({ labels: labels(1025) }))).toBe(true)
    expect(await ns.leases.list()).toHaveLength(1)
  }))
