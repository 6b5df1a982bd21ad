import { runOrThrow } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, it } from 'vitest'
import { defaultSpec } from './default-spec.ts'
import { encodeSpec, parseSpec } from './spec-json.ts'

describeWith({ linux: true, programs: ['ctr'] }, 'the default spec, beside that of stock ctr', () => {
  it.each([
    ['default', undefined, undefined],
    ['other', 'linux/arm64', undefined],
    ['default', 'windows/amd64', 'windows'],
    ['default', 'darwin/arm64', 'darwin'],
    ['default', 'freebsd/amd64', 'freebsd'],
  ])('is the same in namespace %s for platform %s', async (namespace, platform, os) => {
    const args = ['--namespace', namespace, 'oci', 'spec', ...(platform ? ['--platform', platform] : [])]
    const { stdout } = await runOrThrow('/usr/bin/ctr', args)
    const ours = JSON.parse(
      new TextDecoder().decode(encodeSpec(defaultSpec({ namespace, ...(os && { os }) }))),
    )
    expect(ours).toEqual(JSON.parse(stdout))
  })
})

it('puts the cgroup below the namespace', () => {
  expect(defaultSpec({ namespace: 'a', id: 'b' }).linux?.cgroupsPath).toBe('/a/b')
})

it('B12 has no inheritable and no ambient capabilities', () => {
  const { capabilities } = defaultSpec({ namespace: 'a', id: 'b' }).process!
  expect(Object.keys(capabilities!).sort()).toEqual(['bounding', 'effective', 'permitted'])
})

it('is a value of its own at each call', () => {
  const one = defaultSpec({ namespace: 'a', id: 'b' })
  ;(one.mounts as unknown[]).length = 0
  ;(one.process!.capabilities!.bounding as string[]).push('CAP_SYS_ADMIN')
  const other = defaultSpec({ namespace: 'a', id: 'b' })
  expect(other.mounts).toHaveLength(7)
  expect(other.process!.capabilities!.bounding).not.toContain('CAP_SYS_ADMIN')
})

it('passes through JSON unchanged', () => {
  const spec = defaultSpec({ namespace: 'a', id: 'b' })
  expect(parseSpec(encodeSpec(spec))).toEqual(spec)
})
