import { attempt, fuzz, mutatedBytes, mutatedJson, shown } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { expect } from 'vitest'
import { hostAccess } from './host-access.ts'
import {
  bindMount,
  buildSpec,
  defaultSpec,
  withDefaultSeccomp,
  withMounts,
  withProcessArgs,
  withRootfs,
} from './index.ts'
import { encodeSpec, parseProcess, parseResources, parseSeccompProfile, parseSpec } from './spec-json.ts'
import { validateSpec } from './validate-spec.ts'

const made = buildSpec(defaultSpec({ namespace: 'default', id: 'one' }), [
  withProcessArgs(['/bin/true']),
  withRootfs('rootfs', { readonly: true }),
  withMounts([bindMount('/a', '/b')]),
  withDefaultSeccomp({ architecture: 'amd64' }),
])
const { seccomp, ...linux } = JSON.parse(Buffer.from(encodeSpec(made)).toString()).linux
const profile = { ...seccomp, syscalls: seccomp.syscalls.slice(-3) }
const spec = {
  ...JSON.parse(Buffer.from(encodeSpec(made)).toString()),
  linux: { ...linux, seccomp: profile },
  hooks: { prestart: [{ path: '/bin/hook', args: ['hook'], timeout: 1 }] },
  annotations: { a: 'b' },
}
const resources = {
  memory: { limit: 1 << 30, swap: -1 },
  cpu: { shares: 1024, quota: 1000, period: 100_000, cpus: '0-3' },
  pids: { limit: 10 },
  blockIO: { weight: 10 },
  devices: [{ allow: false, access: 'rwm' }],
  unified: { 'memory.high': '1' },
}
const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value))
const tried = fc.oneof(
  mutatedJson([spec, spec.process, resources, profile]).map((value) => shown(bytesOf(value))),
  mutatedBytes([bytesOf(spec)], { dictionary: ['null', '18446744073709551615', '-1', '"', '{}', '..'] }),
)

/** The written spec must read as the same: otherwise the runtime would get another one than was checked. */
fuzz('a spec that is accepted is written as what it was read as', tried, (bytes) => {
  const { outcome, value } = attempt(() => parseSpec(bytes))
  if (value === undefined) return outcome
  const written = encodeSpec(value)
  expect(parseSpec(written)).toEqual(value)
  expect(Buffer.from(encodeSpec(parseSpec(written))).equals(written)).toBe(true)
  // Every listed access must have a name.
  for (const asked of hostAccess(value)) expect(asked).not.toBe('')
  return outcome
})

const cStrings = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(cStrings)
      : []

fuzz('B10 a spec that is valid has no NUL where the kernel reads, and ids of 32 bits', tried, (bytes) => {
  const { outcome, value } = attempt(() => {
    const read = parseSpec(bytes)
    validateSpec(read)
    return read
  })
  if (value === undefined) return outcome
  const { process, root, mounts = [] } = value
  const texts = [process?.args, process?.env, process?.cwd, root?.path, mounts].flatMap(cStrings)
  expect(texts.filter((text) => text.includes('\0'))).toEqual([])
  for (const id of [process!.user.uid, process!.user.gid, ...(process!.user.additionalGids ?? [])])
    expect(Number.isInteger(id) && Number(id) >= 0 && Number(id) < 2 ** 32).toBe(true)
  for (const { destination } of mounts) expect(destination.split('/')).not.toContain('..')
  return outcome
})

fuzz('processes, resources and filters of system calls are read or refused', tried, (bytes) => {
  const outcomes = [parseProcess, parseResources, parseSeccompProfile].map((parse) => {
    const { outcome, value } = attempt(() => parse(bytes))
    if (value !== undefined) expect(Object.getPrototypeOf(value)).not.toBe(Array.prototype)
    return outcome
  })
  return outcomes.find((outcome) => outcome === 'accepted') ?? outcomes[0]!
})
