import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packAny } from '@nsbox/api'
import { CheckpointOptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { errorCode } from '@nsbox/errors'
import { runOrThrow } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { CheckpointLab, counting, countingBig } from '../testing/checkpoint-lab.ts'
import { expectAsBefore } from '../testing/expect-as-before.ts'
import type { RuncFault } from '../testing/fake-runc.ts'
import { waitUntil } from '../testing/wait-until.ts'

const needs = {
  root: true,
  linux: true,
  programs: ['runc', 'busybox', 'criu', 'nsenter', 'iptables'],
} as const
const options = (fields: Parameters<typeof packAny<typeof CheckpointOptionsSchema>>[1]) =>
  packAny(CheckpointOptionsSchema, fields)
const exit = options({ exit: true })

describeWith(needs, 'a checkpoint that fails', () => {
  let lab: CheckpointLab
  beforeAll(async () => {
    lab = await CheckpointLab.create()
    await lab.open()
  })
  afterAll(() => lab[Symbol.asyncDispose]())
  afterEach(async () => {
    await lab.reset()
    expect(lab.warnings.splice(0)).toEqual([])
  })

  test('is not implemented without CRIU', async () => {
    const binary = join(lab.path, 'runc-without-criu')
    const { stdout } = await runOrThrow('which', ['runc'])
    await writeFile(binary, `#!/bin/sh\nPATH=/nonexistent exec ${stdout.trim()} "$@"\n`, { mode: 0o755 })
    await lab.tasks.create('x', { ...lab.options(counting), runtimePath: binary })
    await lab.tasks.start('x')
    for (const ends of [false, true])
      await expect(lab.checkpoint({ options: options({ exit: ends }) })).rejects.toMatchObject({
        code: 'unimplemented',
        message: expect.stringContaining('"criu": executable file not found in $PATH'),
      })
    await expectAsBefore(lab, 'running')
  })

  describe('whose images nobody takes', () => {
    const images = () => Promise.reject(new Error('no room'))

    test('leaves the task as it was, also one that was to end', async () => {
      await lab.start()
      await expect(lab.checkpoint({ images })).rejects.toThrow('no room')
      await expectAsBefore(lab, 'running')
      await expect(lab.checkpoint({ images, options: exit })).rejects.toThrow(/^no room$/)
      await expectAsBefore(lab, 'running')
      await lab.tasks.pause('x')
      await expect(lab.checkpoint({ images, options: exit })).rejects.toThrow(/^no room$/)
      await expectAsBefore(lab, 'paused')
      expect(lab.events.map(({ topic }) => topic)).not.toContain('/tasks/checkpointed')
    })

    test('says that the task has ended where CRIU had to end it', async () => {
      await lab.start()
      await expect(
        lab.checkpoint({ images, options: options({ exit: true, openTcp: true }) }),
      ).rejects.toThrow('no room; the task has ended')
      expect(await lab.tasks.get('x')).toMatchObject({ status: 'stopped', exit: { exitStatus: 137 } })
      expect(await lab.left()).toEqual([])
    })

    test('leaves the task as it was if nobody waits any more', async () => {
      await lab.start()
      const stop = new AbortController()
      const waiting = () => {
        stop.abort(new Error('enough'))
        return Promise.reject(stop.signal.reason as Error)
      }
      await expect(lab.checkpoint({ images: waiting, options: exit, signal: stop.signal })).rejects.toThrow(
        'enough',
      )
      await expectAsBefore(lab, 'running')
    })
  })

  test('is made if somebody else ends the task that was to end, once its images are there', async () => {
    await lab.start()
    await lab.checkpoint({
      options: exit,
      images: async () => {
        await lab.tasks.kill('x', 9)
        await lab.tasks.wait('x')
        return 'taken'
      },
    })
    expect(await lab.tasks.get('x')).toMatchObject({ status: 'stopped', exit: { exitStatus: 137 } })
    expect(lab.events.at(-1)).toMatchObject({ topic: '/tasks/checkpointed' })
    expect(await lab.left()).toEqual([])
  })

  test('ends where CRIU has to end the task, once that has happened', async () => {
    await lab.start()
    await lab.checkpoint({ options: options({ exit: true, openTcp: true }) })
    expect(await lab.tasks.get('x')).toMatchObject({ status: 'stopped', exit: { exitStatus: 137 } })
    expect(lab.events.map(({ topic }) => topic).slice(-2)).toEqual(['/tasks/exit', '/tasks/checkpointed'])
    expect(await lab.left()).toEqual([])
  })

  for (const [what, request] of Object.entries({
    'that is to go on': {},
    'that is to end': { exit: true },
    'that CRIU is to end': { exit: true, openTcp: true },
  })) {
    test(`of a task ${what} can be given up while CRIU is at it`, async () => {
      await lab.start(countingBig)
      await lab.counts()
      const stop = new AbortController()
      const checkpoint = lab.checkpoint({ options: options(request), signal: stop.signal })
      await Promise.race([lab.seized(), checkpoint])
      stop.abort(new Error('enough'))
      await expect(checkpoint).rejects.toThrow(/^enough$/)
      await expectAsBefore(lab, 'running')
    })

    test(`of a task ${what} fails if it ends meanwhile`, async () => {
      await lab.start(countingBig)
      await lab.counts()
      const checkpoint = lab.checkpoint({ options: options(request) }).catch((error: unknown) => error)
      await Promise.race([lab.seized(), checkpoint])
      await lab.tasks.kill('x', 9)
      // The checkpoint may fail before the end is certain.
      const error = await checkpoint
      expect(['failed_precondition', 'unknown']).toContain(errorCode(error))
      if (errorCode(error) === 'failed_precondition')
        expect(error).toMatchObject({ message: expect.stringContaining('the task has ended') })
      expect(await lab.tasks.wait('x')).toMatchObject({ exitStatus: 137 })
      expect(await lab.left()).toEqual([])
      expect(await lab.dumpers()).toEqual([])
    })
  }

  test('says so if the task has ended meanwhile', async () => {
    await lab.start()
    const images = async () => {
      await lab.tasks.kill('x', 9)
      await lab.tasks.wait('x')
      throw new Error('no room')
    }
    await expect(lab.checkpoint({ images })).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('no room; the task has ended'),
    })
    expect(await lab.left()).toEqual([])
  })

  // CRIU that fails freezes the processes again, even if they were thawed to be ended.
  test.skipIf(!existsSync('/sys/fs/cgroup/freezer'))(
    'leaves nothing frozen of a task that has ended, which could not be deleted',
    async () => {
      await lab.start()
      const images = async () => {
        await lab.tasks.kill('x', 9)
        await lab.tasks.wait('x')
        await writeFile(`/sys/fs/cgroup/freezer/nsbox-checkpoint-${process.pid}/freezer.state`, 'FROZEN')
        throw new Error('no room')
      }
      await expect(lab.checkpoint({ images, options: exit })).rejects.toThrow('the task has ended')
      await lab.tasks.delete('x')
    },
  )

  for (const status of ['running', 'paused'] as const)
    test(`leaves a task ${status}, or says that it has ended, if CRIU is killed`, async () => {
      await lab.start(countingBig)
      await lab.counts()
      if (status === 'paused') await lab.tasks.pause('x')
      const checkpoint = lab.checkpoint().catch((error: unknown) => error)
      await Promise.race([lab.seized(), checkpoint])
      // As the kernel does when memory is used up.
      for (const pid of await lab.dumpers()) {
        const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
        if (name === 'criu\n') process.kill(pid, 'SIGKILL')
      }
      const error = await checkpoint
      expect(error).toMatchObject({ message: expect.stringContaining('OCI runtime checkpoint failed') })
      // At that moment, the code that CRIU injects may end the process.
      if ((error as Error).message.includes('the task has ended'))
        expect(await lab.tasks.get('x')).toMatchObject({ status: 'stopped' })
      else await expectAsBefore(lab, status)
    })

  test('gives the network back that CRIU had cut off when it was killed', async () => {
    await lab.start()
    const { pid } = await lab.tasks.get('x')
    const within = (args: readonly string[]) => runOrThrow('nsenter', [`--net=/proc/${pid}/ns/net`, ...args])
    const rules = async () => (await within(['iptables-save', '-t', 'filter'])).stdout
    for (const rule of [
      '-N CRIU',
      '-I INPUT -j CRIU',
      '-I OUTPUT -j CRIU',
      '-A CRIU -j DROP',
      '-P FORWARD DROP',
    ])
      await within(['iptables', '-w', ...rule.split(' ')])
    await lab.runc.set('checkpoint', { die: 'before' })
    await expect(lab.checkpoint()).rejects.toThrow('ended by SIGKILL')
    expect(await rules()).not.toContain('CRIU')
    expect(await rules()).toContain(':FORWARD DROP')
    await expectAsBefore(lab, 'running')
  })

  describe('with a runtime that', () => {
    const faults: Readonly<Record<string, RuncFault>> = {
      fails: { fail: 'no way' },
      'does its work and fails': { failAfter: 'no way' },
      lies: { lie: '' },
      'is killed before': { die: 'before' },
      'is killed after its work': { die: 'after' },
    }
    for (const [what, fault] of Object.entries(faults))
      test(`${what} leaves the task as it was`, async () => {
        await lab.start()
        await lab.runc.set('checkpoint', fault)
        for (const ends of [false, true]) {
          await expect(lab.checkpoint({ options: options({ exit: ends }) })).rejects.toThrow('checkpoint')
          await expectAsBefore(lab, 'running')
        }
        await lab.tasks.pause('x')
        await expect(lab.checkpoint({ options: exit })).rejects.toThrow('checkpoint')
        await expectAsBefore(lab, 'paused')
      })

    for (const [what, fault] of Object.entries({
      'fails after': faults['does its work and fails']!,
      'is killed after': faults['is killed after its work']!,
    }))
      test(`${what} CRIU has ended the task keeps no images from their taker`, async () => {
        await lab.start()
        await lab.runc.set('checkpoint', fault)
        let taken: string[] = []
        await lab.checkpoint({
          options: options({ exit: true, openTcp: true }),
          images: async (directory) => {
            taken = await readdir(directory)
            return 'taken'
          },
        })
        expect(taken).toContain('inventory.img')
        expect(await lab.tasks.get('x')).toMatchObject({ status: 'stopped' })
      })

    test('takes its time after CRIU has ended the task is waited for', async () => {
      await lab.start()
      await lab.runc.set('checkpoint', { late: 1 })
      await lab.checkpoint({ options: options({ exit: true, openTcp: true }) })
      expect(await lab.tasks.get('x')).toMatchObject({ status: 'stopped', exit: { exitStatus: 137 } })
    })

    test('does not end is killed after ten minutes', async () => {
      await lab.start()
      await lab.runc.set('checkpoint', { hang: 'before' })
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      try {
        const checkpoint = lab.checkpoint({ options: exit }).catch((error: unknown) => error)
        await waitUntil(async () => (await lab.runc.calls()).at(-1) === 'checkpoint')
        await vi.advanceTimersByTimeAsync(600_000)
        expect(errorCode(await checkpoint)).toBe('deadline_exceeded')
      } finally {
        vi.useRealTimers()
      }
      await expectAsBefore(lab, 'running')
    })

    test('cannot pause makes no checkpoint of a task that is to end', async () => {
      await lab.start()
      const dumps = async () => (await lab.runc.calls()).filter((call) => call === 'checkpoint').length
      const before = await dumps()
      await lab.runc.set('pause', { fail: 'no way' })
      await expect(lab.checkpoint({ options: exit })).rejects.toThrow('OCI runtime pause failed: no way')
      expect(await dumps()).toBe(before)
      await expectAsBefore(lab, 'running')
    })

    test('cannot resume says that the task stays paused, which can be tried again', async () => {
      await lab.start()
      await lab.runc.set('checkpoint', { fail: 'no checkpoint' })
      await lab.runc.set('resume', { fail: 'no resume' })
      await expect(lab.checkpoint({ options: exit })).rejects.toThrow(
        /no checkpoint; the task cannot be brought back: OCI runtime resume failed: no resume/,
      )
      await expectAsBefore(lab, 'paused')
      await lab.runc.set('resume', undefined)
      await lab.tasks.resume('x')
      await expectAsBefore(lab, 'running')
    })

    test('cannot kill leaves a task that was to end as it was', async () => {
      await lab.start()
      await lab.runc.set('kill', { fail: 'no way' })
      await expect(lab.checkpoint({ options: exit })).rejects.toThrow('OCI runtime kill failed: no way')
      await lab.runc.set('kill', undefined)
      await expectAsBefore(lab, 'running')
    })
  })
})

describeWith(needs, 'a checkpoint on a disk that is full', () => {
  for (const ends of [false, true])
    test(`is refused, and ${ends ? 'ends' : 'harms'} nothing`, async () => {
      await using lab = await CheckpointLab.create()
      const small = join(lab.path, 'small')
      await mkdir(small)
      await runOrThrow('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'nsbox-small', small])
      try {
        await lab.open(join(small, 'images'))
        await lab.start(countingBig)
        await lab.counts()
        await expect(lab.checkpoint({ options: options({ exit: ends }) })).rejects.toMatchObject({
          code: 'resource_exhausted',
          message: expect.stringContaining('no space for the images'),
        })
        await expectAsBefore(lab, 'running')
        expect(await readdir(join(small, 'images'))).toEqual([])
      } finally {
        await runOrThrow('umount', ['--lazy', small])
      }
    })
})
