import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { processSpec } from '@nsbox/compliance/tasks'
import { errorCode } from '@nsbox/errors'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { RestoreBench } from '../testing/restore-bench.ts'
import { waitUntil } from '../testing/wait-until.ts'

type Json = Readonly<Record<string, unknown>>

const records = join(import.meta.dirname, '../testing/records')
const nothing = { stdin: '', stdout: '', stderr: '', terminal: false }
const formats = readdirSync(records).map((name) => name.replace('.json', ''))

const read = (path: string): Json => JSON.parse(readFileSync(path, 'utf8'))

/** The records of a format, with the values of running containers in place of texts like `$pid`. */
function recordsOf(format: string, values: Json): Readonly<Record<string, Json>> {
  const text = readFileSync(join(records, `${format}.json`), 'utf8')
  return JSON.parse(text, (_, value) =>
    typeof value === 'string' && value.startsWith('$') ? values[value.slice(1)] : value,
  )
}

const needs = { root: true, linux: true, programs: ['runc', 'busybox', 'mkfifo'] } as const

describeWith(needs, 'tasks of a program', () => {
  let bench: RestoreBench
  let values: Json
  const bundle = (name: string) => join(bench.directory, 'bundles/bench', name)
  const execRecord = () => join(bundle('one'), 'execs/more/exec.json')
  const supervised = () => {
    const directory = join(bench.directory, 'supervisor')
    return readdirSync(directory).flatMap((name) =>
      readdirSync(join(directory, name, 'records')).map((file) => join(directory, name, 'records', file)),
    )
  }
  /** Ends daemon and supervisor, so that the next daemon has nothing but the records. */
  const leave = async () => {
    await bench.leave()
    for (const pid of bench.supervisors()) process.kill(pid, 'SIGKILL')
    await waitUntil(() => bench.supervisors().length === 0)
  }

  beforeAll(async () => {
    bench = await RestoreBench.open()
    const { tasks } = bench
    await tasks.create('one', { rootfs: await bench.rootfs(), spec: bench.spec('one', ['sleep', '1000']) })
    const { pid } = await tasks.start('one')
    await tasks.exec('one', 'more', { spec: processSpec({ args: ['sleep', '1000'] }) })
    const { pid: execPid } = await tasks.start('one', { execId: 'more' })
    await tasks.create('ended', { rootfs: await bench.rootfs(), spec: bench.spec('ended', ['false']) })
    const { pid: endedPid } = await tasks.start('ended')
    await tasks.wait('ended')
    const found = new Map(
      supervised()
        .map((path) => read(path))
        .map((record) => [record.key, record]),
    )
    values = {
      ...{ root: join(bench.directory, 'runc/bench'), nothing, pid, execPid, endedPid },
      cgroups: read(join(bundle('one'), 'task.json')).cgroups,
      newCgroup: `/${bench.cgroup}/one`,
      ...{ key: 'bench/one', execKey: 'bench/one/more', endedKey: 'bench/ended' },
      startTime: found.get('bench/one')!.startTime,
      execStartTime: found.get('bench/one/more')!.startTime,
    }
  })
  afterEach(async () => {
    // Without their supervisor, the input and output of the processes are lost; one record has no status.
    const known = /with it the input and output|of bench\/ended ended is unknown/
    expect(bench.warnings.splice(0).filter((warning) => !known.test(String(warning)))).toEqual([])
  })
  afterAll(async () => {
    try {
      await bench.tasks.kill('one', 9)
      expect([137, 255]).toContain((await bench.tasks.wait('one')).exitStatus)
      await bench.tasks.deleteProcess('one', 'more')
      for (const id of ['one', 'ended']) await bench.tasks.delete(id)
      expect(bench.left()).toEqual([])
    } finally {
      await bench[Symbol.asyncDispose]()
    }
  })

  describe.each(formats)('with records %s', (format) => {
    test('are taken over, the running and the ended', async () => {
      const given = recordsOf(format, values)
      await leave()
      writeFileSync(join(bundle('one'), 'task.json'), JSON.stringify(given['task.json']))
      writeFileSync(join(bundle('ended'), 'task.json'), JSON.stringify(given['ended task.json']))
      writeFileSync(execRecord(), JSON.stringify(given['exec.json']))
      const left = [given.record, given['exec record'], given['ended record']]
      for (const path of supervised()) {
        const { key } = read(path)
        writeFileSync(path, JSON.stringify(left.find((record) => record?.key === key)))
      }
      await bench.reopen()
      const { pid, execPid } = values
      // The warnings say what else was found of it.
      expect(await bench.tasks.get('one'), bench.warnings.join('\n')).toMatchObject({
        status: 'running',
        pid,
      })
      expect(await bench.tasks.get('one', { execId: 'more' })).toMatchObject({
        status: 'running',
        pid: execPid,
      })
      const ended = await bench.tasks.get('ended')
      const { exitedAt } = given['ended task.json']!.exit as { exitedAt: string }
      expect(ended).toMatchObject({ status: 'stopped', exit: { exitStatus: 3 } })
      expect(String(ended.exit!.exitedAt)).toBe(exitedAt)
      expect((await bench.tasks.pids('one')).map((process) => process.pid)).toContain(execPid)
      await bench.tasks.pause('one')
      await bench.tasks.resume('one')
    })
  })

  test('that is newer stay as they are, and the refusal names the record', async () => {
    await leave()
    const checkpoint = join(bundle('one'), 'checkpoint.json')
    const paths = [join(bundle('one'), 'task.json'), execRecord(), supervised()[0]!, checkpoint]
    for (const path of paths) {
      const before = existsSync(path) ? readFileSync(path, 'utf8') : undefined
      const newer = JSON.stringify({ ...(before && JSON.parse(before)), format: 2, renamed: true })
      writeFileSync(path, newer)
      const refusal = await bench.reopen().catch((error) => error)
      expect(errorCode(refusal)).toBe('failed_precondition')
      expect(String(refusal)).toContain(`${path}`)
      expect(String(refusal)).toMatch(/has format 2, this program knows formats up to 1: use a newer program/)
      expect(readFileSync(path, 'utf8')).toBe(newer)
      expect(existsSync(`/proc/${values.pid}`)).toBe(true)
      if (before === undefined) rmSync(path)
      else writeFileSync(path, before)
    }
    await bench.reopen()
    expect(await bench.tasks.get('one')).toMatchObject({ status: 'running' })
  })
})
