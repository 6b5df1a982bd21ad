import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { run } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { setHostname } from './set-hostname.ts'

describeWith({ root: true, linux: true, programs: ['unshare', 'nsenter'] }, 'a hostname', () => {
  test('is set for another namespace, and this thread is where it was', async () => {
    const own = { name: hostname(), namespace: readlinkSync('/proc/thread-self/ns/uts') }
    await using other = await otherNamespace()
    setHostname(other.namespace, 'elsewhere')
    expect((await run('nsenter', [`--uts=/proc/${other.pid}/ns/uts`, 'uname', '-n'])).stdout).toBe(
      'elsewhere\n',
    )
    expect({ name: hostname(), namespace: readlinkSync('/proc/thread-self/ns/uts') }).toEqual(own)
  })

  test('that is too long is refused, and this thread is where it was', async () => {
    const own = readlinkSync('/proc/thread-self/ns/uts')
    await using other = await otherNamespace()
    expect(() => setHostname(other.namespace, 'x'.repeat(65))).toThrow('EINVAL')
    expect(readlinkSync('/proc/thread-self/ns/uts')).toBe(own)
  })

  test('of the own namespace is not changed', () => {
    const own = openSync('/proc/self/ns/uts', 'r')
    const before = hostname()
    try {
      expect(() => setHostname(own, 'changed')).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
      expect(hostname()).toBe(before)
    } finally {
      closeSync(own)
    }
  })
})

/** A namespace of its own, while it is needed. */
async function otherNamespace() {
  const child = spawn('unshare', ['--uts', 'sh', '-c', 'echo; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  const namespace = openSync(`/proc/${child.pid}/ns/uts`, 'r')
  return {
    pid: child.pid!,
    namespace,
    async [Symbol.asyncDispose]() {
      closeSync(namespace)
      child.kill('SIGKILL')
      await once(child, 'close')
    },
  }
}
