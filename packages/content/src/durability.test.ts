import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { digestOf } from '@nsbox/oci'
import {
  bundleSources,
  type FaultyRun,
  type FaultyRuns,
  faultsEverywhere,
  type SystemCall,
  type TempDir,
  tempDir,
  traceRun,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openContentStore } from './open-content-store.ts'

const layer = Buffer.from('the layer, of which one half was there before the process began')
const half = layer.subarray(0, 30)
const other = Buffer.from('a blob whose labels change')
const old = Buffer.from('a blob that is deleted')
const labels = { kind: 'layer' }

/** The calls that change what is on the disk; `write`, which also wakes the event loop, is left out. */
const changing = ['fsync', 'ftruncate', 'mkdir', 'pwrite64', 'rename', 'rmdir', 'unlink', 'utimensat']

let bundle: TempDir
/** Commits, changes labels, deletes in the root it is given, and says which was answered; tries what failed again. */
let program: string
beforeAll(async () => {
  bundle = await tempDir('nsbox-content')
  program = await bundleSources(
    `import { writeSync } from 'node:fs'
    import { errorCode } from '@nsbox/errors'
    import { openContentStore } from './open-content-store.ts'
    const layer = Buffer.from(${JSON.stringify(layer.toString())})
    let store
    const steps = {
      async open() {
        store = await openContentStore({ root: process.argv[2] })
      },
      async commit() {
        const writer = await store.writer({ ref: 'layer', total: layer.length, expected: '${digestOf(layer)}' })
        try {
          await writer.write(layer.subarray(writer.status().offset))
          await writer.commit({ labels: ${JSON.stringify(labels)} })
        } finally {
          await writer[Symbol.asyncDispose]()
        }
      },
      async update() {
        await store.update('${digestOf(other)}', { merge: { a: '2' } })
      },
      async delete() {
        await store.delete('${digestOf(old)}')
      },
    }
    for (const [name, step] of Object.entries(steps)) {
      for (let attempt = 1; attempt <= 3; attempt++) {
        try {
          await step()
          writeSync(1, name + ' done\\n')
          break
        } catch (error) {
          writeSync(1, name + ' ' + errorCode(error) + '\\n')
        }
      }
    }`,
    import.meta.dirname,
    bundle.path,
  )
})
afterAll(() => bundle[Symbol.asyncDispose]())

async function prepare(root: string): Promise<void> {
  await using store = await openContentStore({ root, durability: 'relaxed' })
  for (const [bytes, label] of [
    [other, '1'],
    [old, 'x'],
  ] as const) {
    await using writer = await store.writer({ ref: 'blob' })
    await writer.write(bytes)
    await writer.commit({ labels: { a: label } })
  }
  await using writer = await store.writer({ ref: 'layer', total: layer.length })
  await writer.write(half)
}

/** Compares what is on the disk with what was answered, then completes it and looks for leftovers. */
async function check(root: string, said: readonly string[]): Promise<void> {
  await using store = await openContentStore({ root, durability: 'relaxed' })
  const read = async (bytes: Uint8Array) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of store.read(digestOf(bytes))) chunks.push(chunk)
    return Buffer.concat(chunks)
  }
  const visible = new Map<string, Record<string, string>>()
  for await (const info of store.list()) visible.set(info.digest, { ...info.labels })

  if (said.includes('commit done')) expect(visible.has(digestOf(layer))).toBe(true)
  if (!visible.has(digestOf(layer))) {
    await using writer = await store.writer({ ref: 'layer', total: layer.length, expected: digestOf(layer) })
    expect(half.length).toBeLessThanOrEqual(writer.status().offset)
    await writer.write(layer.subarray(writer.status().offset))
    await writer.commit({ labels })
  } else expect(visible.get(digestOf(layer))).toEqual(labels)
  expect(await read(layer)).toEqual(layer)
  expect(await store.statuses()).toEqual([])

  const expected = said.includes('update done') ? ['2'] : ['1', '2']
  expect(expected).toContain(visible.get(digestOf(other))?.a)
  expect(await read(other)).toEqual(other)

  if (said.includes('delete done')) expect(visible.has(digestOf(old))).toBe(false)
  if (visible.has(digestOf(old))) {
    expect(visible.get(digestOf(old))).toEqual({ a: 'x' })
    expect(await read(old)).toEqual(old)
    await store.delete(digestOf(old))
  }
  const files = [digestOf(layer), digestOf(other)].map((digest) => digest.slice('sha256:'.length)).sort()
  expect(await tree(root)).toEqual([
    ...files.map((name) => `blobs/sha256/${name}`),
    ...files.map((name) => `labels/sha256/${name}.json`),
  ])
}

/** All files, and directories below `ingest`. */
async function tree(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() || entry.parentPath === join(root, 'ingest'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort()
}

describeWith({ linux: true, programs: ['strace'] }, 'what was answered', () => {
  test('is on the disk before: bytes, then name, then answer', async () => {
    await using dir = await tempDir('nsbox-content')
    await prepare(dir.path)
    const { calls } = await traceRun(['fsync', 'rename', 'unlink', 'write'], process.execPath, [
      program,
      dir.path,
    ])
    const hex = digestOf(layer).slice('sha256:'.length)
    const find = (name: string, text: string) => {
      const found = calls.filter((call) => call.name === name && call.args.includes(text))
      expect(found, `${name} ${text}`).not.toHaveLength(0)
      return found
    }
    const before = (earlier: SystemCall[], later: SystemCall[]) =>
      expect(earlier.some((call) => call.result === '0' && call.returned < later[0]!.entered)).toBe(true)

    const named = find('rename', `/blobs/sha256/${hex}"`)
    const answered = find('write', 'commit done')
    before(find('fsync', '/ingest/'), named)
    before(find('fsync', `/labels/sha256/${hex}.json.tmp>`), find('rename', `/labels/sha256/${hex}.json"`))
    before(find('rename', `/labels/sha256/${hex}.json"`), named)
    const afterName = (path: string, since: SystemCall[]) =>
      find('fsync', path).filter((call) => call.entered > since[0]!.returned)
    before(afterName('/labels/sha256>', find('rename', `/labels/sha256/${hex}.json"`)), named)
    before(afterName('/blobs/sha256>', named), answered)

    const relabelled = find('rename', `/labels/sha256/${digestOf(other).slice(7)}.json"`)
    before(afterName('/labels/sha256>', relabelled), find('write', 'update done'))
    const deleted = find('unlink', `/blobs/sha256/${digestOf(old).slice(7)}"`)
    before(
      afterName('/blobs/sha256>', deleted),
      find('unlink', `/labels/sha256/${digestOf(old).slice(7)}.json"`),
    )
    before(afterName('/blobs/sha256>', deleted), find('write', 'delete done'))
  })

  /** Runs the program once for each call, on a store of its own, and checks what is left. */
  async function everywhere(
    calls: readonly string[],
    fault: FaultyRuns['fault'],
    body: (result: FaultyRun) => void,
  ): Promise<number> {
    await using dir = await tempDir('nsbox-content')
    return await faultsEverywhere({
      directory: dir.path,
      program,
      calls,
      fault,
      prepare,
      async check(root, result) {
        body(result)
        await check(root, result.said)
      },
    })
  }

  test('survives a kill at any call that changes the disk', { timeout: 300_000 }, async () => {
    const kills = await everywhere(changing, 'signal=KILL', ({ signal, said }) => {
      // strace ends as the program has ended.
      expect(signal).toBe('SIGKILL')
      expect(said).not.toContain('delete done')
    })
    expect(kills).toBeGreaterThanOrEqual(20)
  })

  for (const [errno, code, names] of [
    ['ENOSPC', 'resource_exhausted', changing],
    ['EIO', 'data_loss', ['fsync', 'pwrite64']],
  ] as const) {
    test(`D21 survives ${errno} at any ${names.join(', ')}`, { timeout: 300_000 }, async () => {
      const failed = new Set<string>()
      await everywhere(names, `error=${errno}`, (run) => {
        expect(run.failed).toBe(true)
        const { said } = run
        const troubles = said.filter((line) => !line.endsWith(' done'))
        for (const line of troubles) {
          // The failed deletion had taken effect.
          if (line === 'delete not_found') continue
          expect(line.split(' ')[1]).toBe(code)
          failed.add(line.split(' ')[0]!)
        }
        expect(said.filter((line) => line.endsWith(' done'))).toEqual(
          expect.arrayContaining(['open done', 'commit done', 'update done']),
        )
      })
      expect([...failed].sort()).toEqual(['commit', 'delete', 'open', 'update'])
    })
  }
})
