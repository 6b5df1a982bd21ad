import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readlinkSync } from 'node:fs'
import { run } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { bringUpLoopback } from './bring-up-loopback.ts'

const programs = ['unshare', 'nsenter', 'busybox']
describeWith({ root: true, linux: true, programs }, 'the loopback interface', () => {
  test('of another network namespace is brought up, and this thread is where it was', async () => {
    const own = readlinkSync('/proc/thread-self/ns/net')
    const child = spawn('unshare', ['--net', 'sh', '-c', 'echo; exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    const namespace = openSync(`/proc/${child.pid}/ns/net`, 'r')
    const show = async () =>
      (await run('nsenter', [`--net=/proc/${child.pid}/ns/net`, 'busybox', 'ip', 'addr'])).stdout
    try {
      expect(await show()).not.toContain('UP')
      bringUpLoopback(namespace)
      expect(await show()).toMatch(/lo: <LOOPBACK,UP[\s\S]*inet 127\.0\.0\.1\/8/)
      bringUpLoopback(namespace)
      expect(readlinkSync('/proc/thread-self/ns/net')).toBe(own)
    } finally {
      closeSync(namespace)
      child.kill('SIGKILL')
      await once(child, 'close')
    }
  })

  test('of the own namespace is left alone', () => {
    const own = openSync('/proc/self/ns/net', 'r')
    try {
      expect(() => bringUpLoopback(own)).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
    } finally {
      closeSync(own)
    }
  })
})
