import { runOrThrow } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { describe, expect, it } from 'vitest'
import { capabilityNames, defaultCapabilities } from './capability.ts'
import type { Seccomp } from './seccomp.ts'
import { callArchitectures, callsByCapability, ordinaryCalls } from './seccomp-calls.ts'
import { defaultSeccompProfile } from './seccomp-profile.ts'
import { validateSeccomp } from './validate-seccomp.ts'

const architectures = Object.keys(callArchitectures)
const profile = (capabilities: readonly string[] = defaultCapabilities, architecture = 'amd64') =>
  defaultSeccompProfile({ capabilities, architecture })

const allowed = ({ syscalls = [] }: Seccomp) =>
  syscalls.filter(({ action, args }) => action === 'SCMP_ACT_ALLOW' && !args).flatMap(({ names }) => names)

const withArguments = ({ syscalls = [] }: Seccomp, name: string) =>
  syscalls.filter(({ names, args }) => names.includes(name) && args).flatMap(({ args }) => args)

describe.each(architectures)('the default profile for %s', (architecture) => {
  it('is one that the runtime understands, and denies what it does not name', () => {
    const made = profile(defaultCapabilities, architecture)
    validateSeccomp(made, 'profile')
    expect(made).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 1 })
  })

  it.each([
    ['no capability', []],
    ['all capabilities', [...capabilityNames]],
  ])('denies io_uring, key rings and loading of kernels with %s', (_, capabilities) => {
    const names = allowed(profile(capabilities, architecture))
    expect(
      names.filter((name) =>
        /^(?:io_uring|keyctl|add_key|request_key|kexec|userfaultfd|socket$|socketcall)/.test(name),
      ),
    ).toEqual([])
  })

  it('B19 looks at families of sockets in all their bits, and has neither AF_ALG nor AF_VSOCK among them', () => {
    const conditions = withArguments(profile([...capabilityNames], architecture), 'socket')
    expect(conditions.map((each) => each?.op)).toEqual(conditions.map(() => 'SCMP_CMP_EQ'))
    expect(conditions.map((each) => each?.value)).toEqual([1, 2, 10, 16, 17])
  })

  it('denies socketcall before all else, by another errno than the default one', () => {
    const [first] = profile(defaultCapabilities, architecture).syscalls!
    expect(first).toEqual({ names: ['socketcall'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 })
  })

  it('looks for new namespaces where the architecture has the flags of clone', () => {
    const index = architecture === 's390x' ? 1 : 0
    const conditions = withArguments(profile(defaultCapabilities, architecture), 'clone')
    expect(conditions).toEqual([{ index, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }])
  })
})

it.each(Object.entries(callsByCapability))('%s lets its calls pass', (name, calls) => {
  expect(allowed(profile([name]))).toEqual(expect.arrayContaining([...calls]))
  const others = capabilityNames.filter(
    (each) => !calls.some((call) => callsByCapability[each]?.includes(call)),
  )
  expect(allowed(profile(others)).filter((call) => calls.includes(call))).toEqual([])
})

it('makes clone3 look absent, unless it may do all that it can', () => {
  const rule = { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }
  expect(profile().syscalls).toContainEqual(rule)
  expect(profile(['CAP_SYS_ADMIN']).syscalls).not.toContainEqual(rule)
  expect(withArguments(profile(['CAP_SYS_ADMIN']), 'clone')).toEqual([])
})

it('is for this machine by default, and refuses architectures that it does not know', () => {
  expect(defaultSeccompProfile({ capabilities: [] }).architectures?.length).toBeGreaterThan(0)
  for (const odd of ['sparc', 'constructor', ''])
    expect(() => profile([], odd)).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
})

describeWith({ linux: true, programs: ['python3', 'runc'] }, 'the calls of the default profile', () => {
  it('are spelled as libseccomp spells them, each once', async () => {
    expect(ordinaryCalls.filter((name, index) => ordinaryCalls.indexOf(name) !== index)).toEqual([])
    const names = [
      ...ordinaryCalls,
      ...Object.values(callsByCapability).flat(),
      ...Object.values(callArchitectures).flatMap(({ calls }) => calls),
    ]
    const script = `
import ctypes, json, sys
library = ctypes.CDLL("libseccomp.so.2")
print(json.dumps([name for name in json.load(sys.stdin) if library.seccomp_syscall_resolve_name(name.encode()) == -1]))
`
    const { stdout } = await runOrThrow('/usr/bin/python3', ['-c', script], { input: JSON.stringify(names) })
    expect(JSON.parse(stdout)).toEqual([])
  })
})
