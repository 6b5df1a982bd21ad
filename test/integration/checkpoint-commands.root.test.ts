import { randomBytes } from 'node:crypto'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Client, connect } from '@nsbox/client'
import { errorCode } from '@nsbox/errors'
import { digestOf, mediaTypes } from '@nsbox/oci'
import { type RunResult, runOrThrow, startContainerd, TestTerminal } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type ContainerLab, openContainerLab } from './container-lab.ts'
import { counter } from './counter.ts'
import { numbersOf } from './numbers-of.ts'
import { startServer } from './programs.ts'

const servers = { containerd: startContainerd, 'nsbox-server': () => startServer() }

/** Counts the lines that it reads, and says how many there were. */
const answering = 'i=0; while read line; do i=$((i+1)); echo $i >> /numbers; echo "$line $i"; done'

/** Lines of a stream, as they come. */
const lines = (input: NodeJS.ReadableStream) => createInterface({ input })[Symbol.asyncIterator]()

/** What a command prints, where it succeeds. */
async function good(result: Promise<RunResult>): Promise<string> {
  const { code, stdout, stderr } = await result
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

describeWith(
  { root: true, programs: ['containerd', 'ctr', 'runc', 'criu'] },
  'commands that checkpoint and restore containers',
  () => {
    describe.each(Object.entries(servers))('against %s', { timeout: 120_000 }, (server, start) => {
      const resources = new AsyncDisposableStack()
      let lab: ContainerLab
      let client: Client
      let ctr: (...args: string[]) => Promise<string>
      let stock: (...args: string[]) => Promise<string>

      beforeAll(async () => {
        const { address } = resources.use(await start())
        lab = resources.use(await openContainerLab(address, `checkpoint-${server}`))
        client = resources.use(connect({ address, namespace: lab.namespace }))
        ctr = (...args) => good(lab.ctr(args))
        stock = (...args) => good(lab.stock(args))
      })
      afterAll(() => resources.disposeAsync())

      afterEach(async () => {
        for (const id of (await stock('containers', 'ls', '-q')).split('\n').filter(Boolean)) {
          await lab.stock(['tasks', 'rm', '-f', id])
          await stock('containers', 'rm', id)
        }
        expect(await lab.leftovers()).toEqual([])
      })

      const fromImage = (...args: string[]) => ['run', '-d', '--null-io', ...args]
      const restoring = (...args: string[]) => ['containers', 'restore', '--fifo-dir', lab.fifos, ...args]
      const restore = (...args: string[]) => ctr('containers', 'restore', '--null-io', ...args)
      const counting = (id: string) => ctr(...fromImage(lab.image, id, ...counter()))
      const count = (id: string) => numbersOf(client, id)

      /** Waits until a container has counted on, and expects that it has left nothing out and begun only once. */
      async function countsOn(id: string, from = 0): Promise<number> {
        let numbers: number[] = []
        await expect
          .poll(async () => {
            numbers = await count(id)
            return numbers.length
          })
          .toBeGreaterThan(from + 2)
        expect(numbers).toEqual(numbers.map((_, n) => n + 1))
        return numbers.length
      }

      const statusOf = async (id: string) => (await client.tasks.get(id)).status

      it('a counter goes on where it was, restored by either client', async () => {
        await counting('first')
        await countsOn('first')
        expect(await ctr('containers', 'checkpoint', '--rw', '--image', '--task', 'first', 'cp:ours')).toBe(
          '',
        )
        const atLeast = await countsOn('first')
        expect(await restore('--rw', '--live', 'by-us', 'cp:ours')).toBe('')
        await countsOn('by-us')
        // The same container again, whose spec is there already by now.
        await ctr('containers', 'checkpoint', '--rw', '--image', '--task', 'first', 'cp:again')
        await restore('--rw', '--live', 'again', 'cp:again')
        await countsOn('again', atLeast)
        // Stock ctr restores into the cgroup of the spec, where the first container still is.
        await stock('containers', 'restore', '--rw', '--live', 'by-stock', 'cp:ours')
        await countsOn('by-stock')
        expect(await statusOf('first')).toBe('running')
      })

      it('a counter goes on where it was, restored from what stock ctr has made', async () => {
        await ctr(...fromImage('--env', 'OTHER=spec', lab.image, 'second', ...counter()))
        await countsOn('second')
        await stock('containers', 'checkpoint', '--rw', '--image', '--task', 'second', 'cp:stock')
        expect(await restore('--rw', '--live', 'of-stock', 'cp:stock')).toBe('')
        await countsOn('of-stock')
        expect(await statusOf('second')).toBe('running')
      })

      it('the index is as stock ctr makes it, and its parts stay as long as its image', async () => {
        await counting('same')
        await stock('containers', 'checkpoint', '--rw', '--image', '--task', 'same', 'cp:as-stock')
        await ctr('containers', 'checkpoint', '--rw', '--image', '--task', 'same', 'cp:as-ours')
        const index = async (name: string) => {
          const { target } = await client.images.get(name)
          const { manifests, annotations } = JSON.parse(await ctr('content', 'get', target.digest))
          const parts = manifests.map(({ digest: _, size: __, ...rest }: Record<string, unknown>) => rest)
          return { mediaType: target.mediaType, parts, annotations }
        }
        const theirs = await index('cp:as-stock')
        expect(await index('cp:as-ours')).toEqual({
          ...theirs,
          annotations: { ...theirs.annotations, 'image.name': lab.image },
        })
        expect((await client.images.get('cp:as-ours')).labels).toEqual({ 'containerd.io/checkpoint': 'true' })
        await lab.stock(['tasks', 'rm', '-f', 'same'])
        await stock('containers', 'rm', 'same')
        await stock('images', 'rm', '--sync', 'cp:as-stock')
        await restore('--rw', '--live', 'later', 'cp:as-ours')
        await countsOn('later')
      })

      it('a terminal is that of whoever restores it', async () => {
        const run = ['run', '-t', '--fifo-dir', lab.fifos, lab.image, 'seen', 'sh', '-c', answering]
        {
          await using first = await TestTerminal.start(lab.command(run))
          first.type('one\r')
          await first.waitFor(/one 1/)
          await ctr('containers', 'checkpoint', '--rw', '--image', '--task', 'seen', 'cp:terminal')
          first.type('two\r')
          await first.waitFor(/two 2/)
        }
        const restore = lab.command(restoring('--rw', '--live', 'again', 'cp:terminal'))
        const line = `${restore.join(' ')}; echo ended $?; read wait`
        await using second = await TestTerminal.start(['sh', '-c', line])
        await expect
          .poll(async () => {
            if (!second.output.includes('three')) second.type('three\r')
            return second.output
          })
          .toMatch(/three 2/)
        expect(await second.isRaw()).toBe(true)
        second.type('\x04')
        await second.waitFor(/ended 0/)
        expect(await second.isRaw()).toBe(false)
        expect(await statusOf('again').catch(errorCode)).toBe('not_found')
        expect((await lab.ctr(restoring('--live', 'nowhere', 'cp:terminal'))).code).toBe(1)
        expect(await stock('containers', 'ls', '-q')).not.toContain('nowhere')
      })

      it('files alone, the image alone and nothing of both start from the beginning', async () => {
        await counting('whole')
        await countsOn('whole')
        await ctr('containers', 'checkpoint', '--rw', 'whole', 'cp:rw')
        await ctr('containers', 'checkpoint', '--image', 'whole', 'cp:image')
        await restore('--rw', 'files', 'cp:rw')
        await restore('image', 'cp:image')
        // It shows what the program has to say of its files, which are there already.
        const byStock = await lab.stock(['containers', 'restore', '--rw', 'files-by-stock', 'cp:rw'])
        expect(byStock.code).toBe(0)
        await countsOn('image')
        for (const id of ['files', 'files-by-stock']) {
          await expect.poll(async () => (await count(id)).lastIndexOf(1)).toBeGreaterThan(0)
        }
        expect(await lab.ctr(restoring('--live', 'no', 'cp:rw'))).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/^ctr: checkpoint sha256:\w+ has no memory of a task: not found\n$/),
        })
        expect(await lab.ctr(restoring('--rw', 'no', 'cp:image'))).toMatchObject({ code: 1 })
        await stock('containers', 'checkpoint', '--rw', 'whole', 'cp:stock-rw')
        // Only what has the memory has the spec with it, there.
        expect((await lab.ctr(restoring('--rw', 'no', 'cp:stock-rw'))).stderr).toContain(
          'has no spec of its container: failed precondition',
        )
        expect(await stock('containers', 'ls', '-q')).not.toMatch(/^no$/m)
      })

      it('a task is checkpointed alone, to an image or to a directory', async () => {
        await counting('task')
        await countsOn('task')
        const name = (await ctr('tasks', 'checkpoint', 'task')).trim()
        expect(name).toMatch(/^containerd\.io\/checkpoint\/task:\d\d-\d\d-\d{4}-\d\d:\d\d:\d\d$/)
        expect(await statusOf('task')).toBe('running')
        expect(await stock('images', 'ls', `name==${JSON.stringify(name)}`)).toContain('checkpoint=true')
        await restore('--rw', '--live', 'restored', name)
        await countsOn('restored')

        const [images, work] = [join(lab.directory, 'images'), join(lab.directory, 'work')]
        await Promise.all([images, work].map((path) => mkdir(path)))
        const paths = ['--image-path', images, '--work-path', work]
        expect(await ctr('tasks', 'checkpoint', ...paths, 'task')).toBe('')
        expect(await readdir(images)).toContain('inventory.img')
        expect(await readdir(work)).toContain('dump.log')
        expect(await statusOf('task')).toBe('running')

        const last = (await ctr('tasks', 'checkpoint', '--exit', 'restored')).trim()
        await expect.poll(() => statusOf('restored')).toBe('stopped')
        await restore('--rw', '--live', 'after', last)
        await countsOn('after')
      })

      it('run lets a container of the caller’s own spec go on from a checkpoint', async () => {
        await counting('origin')
        await countsOn('origin')
        await ctr('containers', 'checkpoint', '--rw', '--image', '--task', 'origin', 'cp:run')
        const pidFile = join(lab.directory, 'pid')
        const flags = ['--checkpoint', 'cp:run', '--pid-file', pidFile, '--memory-limit', '100000000']
        await ctr(...fromImage(...flags, lab.image, 'mine', 'sh'))
        await countsOn('mine')
        const { Spec } = JSON.parse(await ctr('containers', 'info', 'mine'))
        expect(Spec.linux.resources.memory.limit).toBe(100_000_000)
        const { stdout } = await runOrThrow('cat', [pidFile])
        expect(await stock('tasks', 'ls')).toMatch(new RegExp(`^mine +${stdout} +RUNNING`, 'm'))

        await ctr('containers', 'checkpoint', '--rw', 'origin', 'cp:no-task')
        for (const [name, why] of [
          ['cp:no-task', /no memory of a task: not found/],
          ['cp:none', /not found/],
          [lab.image, /is no checkpoint of a container: failed precondition/],
        ] as const) {
          const failed = await lab.ctr(fromImage('--checkpoint', name, lab.image, 'failed'))
          expect(failed).toMatchObject({ code: 1, stderr: expect.stringMatching(why) })
        }
        const rootfs = join(lab.directory, 'other')
        await mkdir(rootfs)
        await writeFile(join(rootfs, 'file'), 'other')
        const below = await lab.ctr(fromImage('--checkpoint', 'cp:run', '--rootfs', rootfs, 'failed', 'sh'))
        expect(below.stderr).toContain('which need an image below them: invalid argument')
        await ctr('images', 'from-rootfs', rootfs, 'example.com/other:1')
        const other = await lab.ctr(
          fromImage('--checkpoint', 'cp:run', 'example.com/other:1', 'failed', 'sh'),
        )
        expect(other.stderr).toContain('the checkpoint is of another image than example.com/other:1')
      })

      it('streams of a restored task are the library’s', async () => {
        await ctr('containers', 'create', lab.image, 'asked', 'sh', '-c', answering)
        const stdio = { stdin: true, fifoDirectory: lab.fifos }
        await using task = await client.container('asked').createTask(stdio)
        const answers = lines(task.stdout!)
        await task.start()
        task.stdin!.write('a\n')
        expect(await answers.next()).toMatchObject({ value: 'a 1' })
        const { target } = await client.container('asked').checkpoint('cp:streams', { exit: true })
        expect(await task.finished()).toMatchObject({ exitStatus: 137 })

        await using restored = await client.restore('goes-on', target, stdio)
        expect(await restored.status()).toMatchObject({ status: 'created', terminal: false })
        const more = lines(restored.stdout!)
        await restored.start()
        expect(restored.pid).toBeGreaterThan(0)
        restored.stdin!.write('b\n')
        expect(await more.next()).toMatchObject({ value: 'b 2' })
        restored.stdin!.end()
        expect(await restored.finished()).toMatchObject({ exitStatus: 0 })
        await restored.delete()
        await task.delete()
      })

      it('what cannot be done leaves the task running, and nothing behind', async () => {
        const connected =
          'mkfifo /f; ip link set lo up; nc -l -p 99 < /f & (usleep 300000; exec nc 127.0.0.1 99) < /f & exec 3> /f;'
        const run = fromImage(
          '--cap-add',
          'CAP_NET_ADMIN',
          lab.image,
          'kept',
          'sh',
          '-c',
          connected + counter()[2],
        )
        await ctr(...run)
        await expect
          .poll(() => ctr('tasks', 'exec', 'kept', 'cat', '/proc/net/tcp'))
          .toContain('0100007F:0063 01')
        const container = client.container('kept')
        const failed = await lab.ctr(['containers', 'checkpoint', '--task', '--rw', 'kept', 'cp:failed'])
        expect(failed).toMatchObject({ code: 1, stderr: expect.stringMatching(/criu|CRIU|tcp|TCP/) })
        expect(await statusOf('kept')).toBe('running')
        await countsOn('kept', await countsOn('kept'))
        // When one is gone the other ends by itself, and may be no more.
        await lab.ctr(['tasks', 'exec', 'kept', 'killall', 'nc'])

        await client.tasks.pause('kept')
        await container.checkpoint('cp:taken')
        expect(await statusOf('kept')).toBe('paused')
        await client.tasks.resume('kept')

        /** Both clients say the same, ours with the code besides. */
        const both = async (...args: string[]) => {
          const [mine, theirs] = [await lab.ctr(args), await lab.stock(args)]
          expect(mine).toMatchObject({ code: 1, stdout: '' })
          const said = mine.stderr.trimEnd().replace(/: invalid argument$/, '')
          expect(said).toBe(theirs.stderr.trimEnd().split('\n').at(-1))
        }
        await both('containers', 'checkpoint')
        await both('containers', 'checkpoint', 'kept')
        await both('containers', 'checkpoint', 'none', 'cp:none')
        await both('containers', 'checkpoint', '--rw', 'kept', 'cp:taken')
        await both('containers', 'restore')
        await both('containers', 'restore', 'x')
        await both('tasks', 'checkpoint')
        await both('tasks', 'checkpoint', 'none')
        expect(await client.restore('kept', 'cp:taken', { trusted: true }).catch(errorCode)).toBe(
          'already_exists',
        )
        expect(await client.restore('x', 'cp:none').catch(errorCode)).toBe('not_found')
        expect(await client.restore('x', lab.image).catch(errorCode)).toBe('failed_precondition')
        await ctr('containers', 'create', lab.image, 'idle')
        expect(await client.container('idle').checkpoint('cp:idle').catch(errorCode)).toBe('not_found')
        const names = (await client.images.list()).map(({ name }) => name)
        for (const name of ['cp:failed', 'cp:none', 'cp:idle']) expect(names).not.toContain(name)
        expect(await statusOf('kept')).toBe('running')
      })

      it('D11 a checkpoint of a container that reaches the host is restored only if it is trusted', async () => {
        const mount = `type=bind,src=${lab.directory},dst=/host,options=rbind:ro`
        await ctr(...fromImage('--mount', mount, lab.image, 'reaching', ...counter()))
        await countsOn('reaching')
        await ctr('containers', 'checkpoint', '--rw', '--image', '--task', 'reaching', 'cp:reaching')
        const before = (await stock('images', 'ls', '-q')).split('\n')
        const refused = await lab.ctr(restoring('--rw', '--live', 'in', 'cp:reaching'))
        expect(refused).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/not trusted .* mounts\[7\] at \/host: permission denied\n$/),
        })
        expect(await stock('containers', 'ls', '-q')).toBe('reaching\n')
        await restore('--rw', '--live', '--trusted', 'in', 'cp:reaching')
        await countsOn('in')
        // Nothing is given a name.
        expect((await stock('images', 'ls', '-q')).split('\n')).toEqual(before)
      })

      it('D11 what is restored from something else than memory leaves nothing', async () => {
        await ctr('containers', 'create', lab.image, 'like')
        await client.container('like').checkpoint('cp:files', { task: false })
        await stock('containers', 'rm', 'like')
        const { target } = await client.images.get('cp:files')
        const index = JSON.parse(await ctr('content', 'get', target.digest))
        await using lease = await client.createLease()
        const { content } = lease.client
        const put = async (mediaType: string, bytes: Uint8Array) => {
          await using writer = await content.writer({ ref: mediaType })
          await writer.write(bytes)
          const { digest, size } = await writer.commit()
          return { mediaType, digest, size }
        }
        const memory = await put(mediaTypes.checkpointCriu, randomBytes(100_000))
        const manifests = [...index.manifests, memory]
        const bytes = Buffer.from(JSON.stringify({ ...index, manifests }))
        const forged = await put(mediaTypes.ociIndex, bytes)
        await client.images.create({ name: 'cp:forged', target: forged })
        expect(await lab.ctr(restoring('--live', 'forged', 'cp:forged'))).toMatchObject({
          code: 1,
          stdout: '',
        })
        const missing = await client
          .restore('forged', { ...forged, digest: digestOf('none') })
          .catch(errorCode)
        expect(missing).toBe('not_found')
        expect(await stock('containers', 'ls', '-q')).toBe('')
      })
    })
  },
)
