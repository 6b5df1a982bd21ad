import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { packAny } from '@nsbox/api'
import { CheckpointOptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { bundleSources } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CheckpointLab, countingBig } from '../testing/checkpoint-lab.ts'
import { expectAsBefore } from '../testing/expect-as-before.ts'
import { waitUntil } from '../testing/wait-until.ts'

const needs = { root: true, linux: true, programs: ['runc', 'busybox', 'criu'] } as const

describeWith(needs, 'a task whose daemon is killed', () => {
  let lab: CheckpointLab
  let daemon: ChildProcess | undefined
  beforeEach(async () => {
    lab = await CheckpointLab.create()
  })
  afterEach(async () => {
    daemon?.kill('SIGKILL')
    daemon = undefined
    const { warnings } = lab
    await lab[Symbol.asyncDispose]()
    expect(warnings).toEqual([])
  })

  /** A daemon that makes a checkpoint of a task and never takes the images. */
  async function checkpointing({ exit = false, paused = false } = {}): Promise<void> {
    const { rootfs, spec } = lab.options(countingBig)
    const { typeUrl, value } = packAny(CheckpointOptionsSchema, { exit })
    const runtime = { directory: join(lab.path, 'runtime'), images: lab.images, binary: lab.runc.binary }
    const bytes = (data: Uint8Array) => `Buffer.from('${Buffer.from(data).toString('base64')}', 'base64')`
    const source = `
      import { openRuncRuntime } from '../open-runc-runtime.ts'
      const runtime = await openRuncRuntime({ ...${JSON.stringify(runtime)}, onEvent() {} })
      const tasks = runtime.namespace('lab')
      const spec = { typeUrl: '${spec.typeUrl}', value: ${bytes(spec.value)} }
      await tasks.create('x', { rootfs: ${JSON.stringify(rootfs)}, spec })
      await tasks.start('x')
      process.stdin.once('data', async () => {
        if (${paused}) await tasks.pause('x')
        await tasks.checkpoint('x', {
          options: { typeUrl: '${typeUrl}', value: ${bytes(value)} },
          images: () => new Promise(() => console.log('taking')),
        })
      })`
    const program = await bundleSources(source, import.meta.dirname, lab.path)
    daemon = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
    await waitUntil(async () => (await lab.count()) > 0, 'the daemon’s task')
    daemon.stdin!.write('go\n')
  }

  async function killed(): Promise<void> {
    daemon!.kill('SIGKILL')
    await once(daemon!, 'exit')
  }

  for (const exit of [false, true])
    test(`while CRIU is at it runs in the end${exit ? ', though it was to end' : ''}`, async () => {
      await checkpointing({ exit })
      await lab.seized()
      await killed()
      // CRIU goes on although nobody reads its output.
      expect(await lab.dumpers()).not.toEqual([])
      await lab.open()
      await expectAsBefore(lab, 'running')
      await lab.checkpoint()
    })

  test('while CRIU is at it goes on by itself', async () => {
    await checkpointing()
    await lab.seized()
    await killed()
    await waitUntil(async () => (await lab.dumpers()).length === 0)
    await lab.counts()
    await lab.open()
    await expectAsBefore(lab, 'running')
  })

  test('while CRIU is at it stays paused if it was paused', async () => {
    await checkpointing({ paused: true })
    await lab.seized()
    await killed()
    await lab.open()
    await expectAsBefore(lab, 'paused')
    await lab.tasks.resume('x')
    await expectAsBefore(lab, 'running')
  })

  test('while the images are taken of one that was to end runs in the end', async () => {
    await checkpointing({ exit: true })
    await once(daemon!.stdout!, 'data')
    await killed()
    expect(await lab.real.state('x')).toMatchObject({ status: 'paused' })
    expect(await lab.left()).not.toEqual([])
    await lab.open()
    await expectAsBefore(lab, 'running')
  })

  test('and that ends before another comes is found to have ended', async () => {
    await checkpointing({ exit: true })
    await lab.seized()
    await killed()
    await lab.real.kill('x', 9)
    await lab.open()
    expect(await lab.tasks.wait('x')).toMatchObject({ exitStatus: 137 })
    expect(await lab.left()).toEqual([])
    expect(await lab.dumpers()).toEqual([])
  })
})
