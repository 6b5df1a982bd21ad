import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, readdirSync } from 'node:fs'
import { runOrThrow } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { openPidfd, signalPidfd } from './pidfd.ts'

/** Runs a script in a process of its own, which may have children that Node did not start. */
async function inProcess(script: string): Promise<unknown> {
  const calls = new URL('./index.ts', import.meta.url).href
  const descriptors = new URL('../descriptors/index.ts', import.meta.url).href
  const text = `
    import { spawn } from 'node:child_process'
    import { once } from 'node:events'
    import { setTimeout } from 'node:timers/promises'
    import {
      becomeSubreaper, openPidfd, peekEndedChild, pidfdExitStatus, reapChild, signalPidfd, zombieExitStatus,
    } from '${calls}'
    import { isReady } from '${descriptors}'
    async function orphan(command) {
      const stdio = ['ignore', 'pipe', 'inherit']
      const shell = spawn('sh', ['-c', '(' + command + ') >/dev/null 2>&1 & echo $!'], { stdio })
      let pid = ''
      shell.stdout.on('data', (piece) => { pid += piece })
      await once(shell, 'close')
      return Number(pid)
    }
    async function ended() {
      for (;;) {
        const pid = peekEndedChild()
        if (pid !== undefined) return pid
        await setTimeout(5)
      }
    }
    ${script}`
  const args = ['--conditions=@nsbox/source', '--import', 'tsx', '--input-type=module', '-e', text]
  return JSON.parse((await runOrThrow(process.execPath, args)).stdout)
}

describeWith({ linux: true }, 'a subreaper', () => {
  test('becomes the parent of orphans, sees them end without taking their end, and then takes it', async () => {
    const result = await inProcess(`
      becomeSubreaper()
      const pid = await orphan('sleep 0.1; exit 7')
      const first = await ended()
      const again = peekEndedChild()
      const reaped = [reapChild(pid), reapChild(pid)]
      console.log(JSON.stringify([first === pid, again === pid, ...reaped, peekEndedChild() ?? 'none']))`)
    expect(result).toEqual([true, true, 7, null, 'none'])
  })

  test('learns the signal that ended an orphan, and leaves others and those that run alone', async () => {
    const result = await inProcess(`
      becomeSubreaper()
      const pid = await orphan('exec sleep 60')
      const running = reapChild(pid) ?? 'running'
      process.kill(pid, 'SIGTERM')
      await ended()
      console.log(JSON.stringify([running, reapChild(1) ?? 'no child', reapChild(pid)]))`)
    expect(result).toEqual(['running', 'no child', 143])
  })
})

describeWith({ linux: true }, 'a descriptor of a process', () => {
  test('signals it while it runs, and nobody afterwards', async () => {
    const child = spawn('sleep', ['60'])
    const fd = openPidfd(child.pid!)
    try {
      expect(signalPidfd(fd, 0)).toBe(true)
      const exit = once(child, 'exit')
      expect(signalPidfd(fd, 9)).toBe(true)
      expect(await exit).toEqual([null, 'SIGKILL'])
      expect(signalPidfd(fd, 0)).toBe(false)
    } finally {
      closeSync(fd)
    }
  })

  test('is readable once the process has ended, and tells how where the kernel does', async () => {
    const result = await inProcess(`
      becomeSubreaper()
      const pid = await orphan('sleep 1; exit 7')
      const fd = openPidfd(pid)
      const before = [isReady(fd, 'read'), pidfdExitStatus(fd)]
      await ended()
      const zombie = [isReady(fd, 'read'), pidfdExitStatus(fd)]
      reapChild(pid)
      const killed = await orphan('exec sleep 60')
      const other = openPidfd(killed)
      signalPidfd(other, 9)
      await ended()
      reapChild(killed)
      console.log(JSON.stringify([before, zombie, pidfdExitStatus(fd), pidfdExitStatus(other)]))`)
    expect([
      [[false, 'pending'], [true, 'pending'], 7, 137],
      [[false, 'unknown'], [true, 'unknown'], 'unknown', 'unknown'],
    ]).toContainEqual(result)
  })

  test('cannot be had of a process that does not exist, and leaks nothing', () => {
    const before = readdirSync('/proc/self/fd').length
    expect(() => openPidfd(2 ** 22 + 1)).toThrow(/pidfd_open/)
    expect(readdirSync('/proc/self/fd').length).toBe(before)
  })

  test('before anybody has waited for a process, its status can be read, by whoever may trace it', async () => {
    const result = await inProcess(`
      becomeSubreaper()
      const pid = await orphan('exec sleep 60')
      const running = zombieExitStatus(pid) ?? 'running'
      process.kill(pid, 'SIGTERM')
      await ended()
      const other = await orphan('sleep 0.1; exit 7')
      while (zombieExitStatus(other) === undefined) await setTimeout(5)
      const statuses = [running, zombieExitStatus(pid), zombieExitStatus(other)]
      process.setegid?.(65534)
      process.seteuid?.(65534)
      console.log(JSON.stringify([...statuses, zombieExitStatus(pid) ?? 'not told']))`)
    const root = process.geteuid?.() === 0
    expect(result).toEqual(['running', 143, 7, root ? 'not told' : 143])
  })
})
