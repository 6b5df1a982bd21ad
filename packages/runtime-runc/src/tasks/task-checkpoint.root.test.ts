import { access, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packAny } from '@nsbox/api'
import { CheckpointOptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { errorCode } from '@nsbox/errors'
import { run } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { CheckpointLab } from '../testing/checkpoint-lab.ts'
import { expectAsBefore } from '../testing/expect-as-before.ts'
import { waitUntil } from '../testing/wait-until.ts'

const needs = { root: true, linux: true, programs: ['runc', 'busybox', 'criu', 'perl'] } as const
const options = (fields: Parameters<typeof packAny<typeof CheckpointOptionsSchema>>[1]) =>
  packAny(CheckpointOptionsSchema, fields)

describeWith(needs, 'a checkpoint of a task', () => {
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

  test('hands images over that are gone afterwards', async () => {
    await lab.start()
    let taken: string[] = []
    await lab.checkpoint({
      images: async (directory) => {
        taken = await readdir(directory)
        return 'sha256:x'
      },
    })
    expect(taken).toContain('inventory.img')
    await expectAsBefore(lab, 'running')
    expect(lab.events.at(-1)).toMatchObject({
      topic: '/tasks/checkpointed',
      payload: { containerId: 'x', checkpoint: 'sha256:x' },
    })
  })

  test('leaves images and log where the client has named directories for them', async () => {
    await lab.start()
    const [imagePath, workPath] = [join(lab.path, 'client/images'), join(lab.path, 'client/work')]
    await lab.checkpoint({
      options: options({ imagePath, workPath }),
      images: () => Promise.reject(new Error('not to be called')),
    })
    await access(join(imagePath, 'inventory.img'))
    await access(join(workPath, 'dump.log'))
    await expectAsBefore(lab, 'running')
    expect(lab.events.at(-1)).toMatchObject({ payload: { checkpoint: imagePath } })
  })

  for (const [what, fields] of Object.entries({
    'a terminal': { terminal: true },
    'unix sockets': { externalUnixSockets: true },
    connections: { openTcp: true },
    'locks of files': { fileLocks: true },
    'networks that are not kept': { emptyNamespaces: ['network'] },
    'cgroups, softly': { cgroupsMode: 'soft' },
    'cgroups, fully': { cgroupsMode: 'full' },
    'cgroups, strictly': { cgroupsMode: 'strict' },
  }))
    test(`takes an option for ${what}`, async () => {
      await lab.start()
      await lab.checkpoint({ options: options(fields) })
      await expectAsBefore(lab, 'running')
    })

  test('is refused for options that cannot be', async () => {
    await lab.start()
    for (const fields of [
      { cgroupsMode: 'hard' },
      { imagePath: 'relative' },
      { workPath: 'relative' },
      { emptyNamespaces: ['nonesuch'] },
    ]) {
      const error = await lab.checkpoint({ options: options(fields) }).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'invalid_argument' })
      expect((error as Error).message).toMatch(Object.values(fields).flat()[0]!)
      await expectAsBefore(lab, 'running')
    }
  })

  test('names a directory that cannot be', async () => {
    await lab.start()
    await writeFile(join(lab.path, 'file'), '')
    const imagePath = join(lab.path, 'file/images')
    await expect(lab.checkpoint({ options: options({ imagePath }) })).rejects.toThrow(imagePath)
    await expectAsBefore(lab, 'running')
  })

  test('waits for its turn, and others for its end', async () => {
    await lab.start()
    const taking = new AbortController()
    const done: string[] = []
    const note = (what: string) => () => void done.push(what)
    let asked = false
    const all = [
      lab.tasks.pause('x').then(note('paused')),
      lab
        .checkpoint({
          images: () => {
            asked = true
            return new Promise((resolve) => taking.signal.addEventListener('abort', () => resolve('taken')))
          },
        })
        .then(note('checkpoint')),
      lab.tasks.resume('x').then(note('resumed')),
    ]
    await waitUntil(() => asked)
    expect(done).toEqual(['paused'])
    expect(await lab.real.state('x')).toMatchObject({ status: 'paused' })
    taking.abort()
    await Promise.all(all)
    expect(done).toEqual(['paused', 'checkpoint', 'resumed'])
    await expectAsBefore(lab, 'running')
  })

  test('adds to a parent, where the kernel knows which pages have changed', async () => {
    await lab.start()
    const { code } = await run('criu', ['check', '--feature', 'mem_dirty_track'])
    const images = new Map<string, Buffer>()
    await lab.checkpoint({
      async images(directory) {
        for (const name of await readdir(directory)) {
          images.set(name, await readFile(join(directory, name)))
        }
        return 'parent'
      },
    })
    const adding = lab.checkpoint({
      async parent(directory) {
        for (const [name, bytes] of images) await writeFile(join(directory, name), bytes)
      },
      async images(directory) {
        await access(join(directory, 'parent/inventory.img'))
        return 'child'
      },
    })
    if (code === 0) await adding
    else
      await expect(adding).rejects.toMatchObject({
        code: 'unimplemented',
        message: /which memory has changed/,
      })
    await expectAsBefore(lab, 'running')
    await expect(
      lab.checkpoint({ parent: async () => {}, options: options({ imagePath: join(lab.path, 'i') }) }),
    ).rejects.toMatchObject({ code: 'invalid_argument' })
    await expect(lab.checkpoint({ parent: () => Promise.reject(new Error('no parent')) })).rejects.toThrow(
      'no parent',
    )
    await expectAsBefore(lab, 'running')
  })

  describe('names what stands in its way:', () => {
    const obstacles: Readonly<Record<string, { script: string; words: RegExp; keep?: object }>> = {
      'a lock of a file': {
        script: 'use Fcntl ":flock"; open F, ">", "/tmp/lock"; flock F, LOCK_EX or die;',
        words: /a lock of a file \(file_locks keeps it\)/,
        keep: { fileLocks: true },
      },
      'a large deleted file': {
        script: 'open F, ">", "/tmp/gone"; syswrite F, "x" x 3e6; unlink "/tmp/gone";',
        words: /a deleted file that is open and large, "\/tmp\/gone" with 3002368 bytes/,
      },
      'a device': {
        script: 'open F, "+<", "/dev/fuse" or die;',
        words: /an open device \(chr 10:229\)/,
      },
      'a network connection': {
        script:
          'use IO::Socket::INET; socket F, AF_INET, SOCK_STREAM, 0; bind F, sockaddr_in(0, INADDR_ANY); listen F, 1;' +
          'my $p = sockaddr_in((sockaddr_in(getsockname F))[0], INADDR_LOOPBACK);' +
          'socket G, AF_INET, SOCK_STREAM, 0; connect G, $p; accept H, F;',
        words: /an open TCP connection|a network socket/,
      },
    }
    for (const [what, { script, words, keep }] of Object.entries(obstacles))
      test(what, async () => {
        const loop =
          '$| = 1; while (1) { open C, ">", "/tmp/count"; print C ++$i; close C; select undef, undef, undef, 0.01 }'
        await lab.start(`${script} ${loop}`, { perl: true })
        await lab.counts()
        for (const ends of [false, true]) {
          const error = await lab
            .checkpoint({ options: options({ exit: ends }) })
            .catch((thrown: unknown) => thrown)
          expect(errorCode(error)).toBe('failed_precondition')
          const { message } = error as Error
          expect(message).toMatch(words)
          expect(message).toMatch(/Error \(criu\//)
          expect(message).not.toContain('dump.log')
          expect(message.length).toBeLessThan(2000)
          await expectAsBefore(lab, 'running')
        }
        if (keep !== undefined) await lab.checkpoint({ options: options(keep) })
      })
  })
})
