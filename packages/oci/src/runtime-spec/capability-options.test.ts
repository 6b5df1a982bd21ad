import { expect, it } from 'vitest'
import { capabilityNames, defaultCapabilities, parseCapabilityMask } from './capability.ts'
import {
  withAddedCapabilities,
  withAmbientCapabilities,
  withCapabilities,
  withDroppedCapabilities,
} from './capability-options.ts'
import { defaultSpec } from './default-spec.ts'
import { hostCapabilities } from './host-capabilities.ts'
import type { SpecOption } from './spec-option.ts'

const base = defaultSpec({ namespace: 'a', id: 'b' })
const sets = (...options: SpecOption[]) =>
  options.reduce((spec, option) => option(spec), base).process?.capabilities

it('adds and drops in the three sets that decide what a process can do, and in no other', () => {
  const names = [...defaultCapabilities.filter((name) => name !== 'CAP_KILL'), 'CAP_BPF']
  const changed = sets(
    withAddedCapabilities(['CAP_BPF', 'CAP_CHOWN']),
    withDroppedCapabilities(['CAP_KILL', 'CAP_SYSLOG']),
  )
  expect(changed).toEqual({ bounding: names, effective: names, permitted: names })
})

it('replaces all', () => {
  const names = ['CAP_KILL']
  expect(sets(withCapabilities(['CAP_KILL', 'CAP_KILL']))).toEqual({
    bounding: names,
    effective: names,
    permitted: names,
  })
})

it('B12 fills the inheritable and ambient sets only if asked to, and empties them again', () => {
  const ambient = withAmbientCapabilities(['CAP_KILL'])
  expect(sets(ambient)).toMatchObject({ inheritable: ['CAP_KILL'], ambient: ['CAP_KILL'] })
  expect(sets(ambient, withDroppedCapabilities(['CAP_KILL']))).toMatchObject({ inheritable: [], ambient: [] })
})

it.each([withCapabilities, withAddedCapabilities, withDroppedCapabilities, withAmbientCapabilities])(
  'knows capabilities by their full names (%o)',
  (option) => {
    expect(() => option(['sys_admin'])).toThrow("is spelled with the prefix 'CAP_'")
    expect(() => option(['CAP_SYS_ADMIN '])).toThrow('is not known')
    expect(() => option(['CAP_SYS_ADMIN '])).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
  },
)

it('reads the masks of the kernel', () => {
  expect(parseCapabilityMask('00000000a80425fb').sort()).toEqual([...defaultCapabilities].sort())
  expect(parseCapabilityMask('ffffffffffffffff')).toEqual(capabilityNames)
  expect(parseCapabilityMask('0')).toEqual([])
  for (const bad of ['', 'x', '0x1', '1'.repeat(17)])
    expect(() => parseCapabilityMask(bad)).toThrow('hexadecimal')
})

it.runIf(process.platform === 'linux')('knows what this process can do', async () => {
  const names = await hostCapabilities()
  expect(names.includes('CAP_CHOWN')).toBe(process.geteuid?.() === 0)
  await expect(hostCapabilities({ signal: AbortSignal.abort() })).rejects.toThrow('abort')
})
