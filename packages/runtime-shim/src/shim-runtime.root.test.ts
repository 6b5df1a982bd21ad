import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packAny } from '@nsbox/api'
import { CheckpointOptionsSchema, OptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { containerSpec, tasksSuite } from '@nsbox/compliance/tasks'
import { needs } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { openShimLab, runcShim, shimSubjects } from './testing/shim-lab.ts'

/** What differs below is the shim's behaviour, which stock containerd passes on as well. */
const ofTheShim = {
  stateCodes: false,
  idempotentPause: false,
  executedAtStart: false,
  killByPid: false,
  resizeNeedsTerminal: false,
  createCodes: false,
  killPaused: false,
  killWhileStarting: false,
  exitOfUnstarted: false,
  restartedExec: false,
  metricsOfRunning: false,
  abortedCreate: false,
  execDeleteEvent: false,
  secondReader: false,
  repeatedCheckpoints: false,
  checkpointEvent: false,
  checkpointCodes: false,
}

describeWith({ root: true, linux: true, programs: [runcShim, 'runc', 'busybox'] }, 'a shim', () => {
  tasksSuite('of Debian’s shim for runc', shimSubjects(), {
    ...ofTheShim,
    checkpoints: needs({ programs: ['criu'] }) === undefined,
  })
})

describeWith({ root: true, linux: true, programs: [runcShim, 'runc', 'busybox', 'criu'] }, 'a shim', () => {
  test('restores a task from a directory that options name, which stays', async () => {
    await using lab = await openShimLab()
    await using _tasks = { [Symbol.asyncDispose]: () => lab.runtime.endAll() }
    const tasks = lab.runtime.namespace('restored')
    const id = `restored-${process.pid}`
    // A restored `sleep` ends at once.
    const spec = containerSpec(id, { args: ['sh', '-c', 'while sleep 1; do :; done'] })
    const task = { runtimeName: runcShim, spec, rootfs: lab.rootfs }
    const { pid: first } = await tasks.create(id, task)
    await tasks.start(id)
    // Its start is answered before the program is executed.
    await expect.poll(() => readFile(`/proc/${first}/cmdline`, 'utf8')).toMatch(/^sh\0/)
    const imagePath = join(lab.directory, 'given')
    const images = async () => expect.fail('images of a directory of the client are not asked for')
    await tasks.checkpoint(id, {
      options: packAny(CheckpointOptionsSchema, { imagePath, exit: true }),
      images,
    })
    await tasks.wait(id)
    await tasks.delete(id)

    const options = packAny(OptionsSchema, { criuImagePath: imagePath })
    expect((await tasks.create(id, { ...task, options })).pid).toBe(0)
    const { pid } = await tasks.start(id)
    expect(await tasks.get(id)).toMatchObject({ pid, status: 'running' })
    await tasks.kill(id, 9)
    await tasks.wait(id)
    await tasks.delete(id)
    expect(existsSync(join(imagePath, 'inventory.img'))).toBe(true)
  })
})
