import { Readable, Writable } from 'node:stream'
import { type Client, connect, type RunOptions } from '@nsbox/client'
import { errorCode } from '@nsbox/errors'
import {
  buildImage,
  busyboxLayer,
  filesLayer,
  pushImage,
  removeCgroup,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { startServer } from './programs.ts'

describeWith(
  { root: true, programs: ['docker-registry', 'runc', 'skopeo'] },
  'from the name of an image to its output, in one call',
  () => {
    const resources = new AsyncDisposableStack()
    let client: Client
    let host: string
    let fifoDirectory: string

    beforeAll(async () => {
      const directory = resources.use(await tempDir('nsbox-run-in-one-call')).path
      const registry = resources.use(await startRegistry())
      host = registry.host
      const busybox = await busyboxLayer()
      const names = { Entrypoint: ['sh', '-c', 'echo "$0 $*"; exit 3'], Cmd: ['own'], User: '7:8' }
      for (const [name, config] of [
        ['box', {}],
        ['entry', names],
        ['named', { User: 'somebody' }],
      ] as const) {
        const image = await buildImage(`${directory}/${name}`, {
          layers: [busybox, filesLayer({ [name]: '' })],
          config,
        })
        await pushImage(image, registry, `${name}:1`)
      }
      fifoDirectory = `${directory}/fifo`
      resources.defer(() => removeCgroup('one-call'))
      const { address } = resources.use(await startServer())
      client = resources.use(connect({ address, namespace: 'one-call' }))
    })
    afterAll(() => resources.disposeAsync())

    const run = (image: string, options: Omit<RunOptions, 'image'> = {}) =>
      client.run({ image: `${host}/${image}:1`, fifoDirectory, ...options })

    afterEach(async () => {
      const left: unknown[] = [...(await client.tasks.list()), ...(await client.leases.list())]
      for await (const { id } of client.containers.list()) left.push(id)
      for await (const { kind, name } of client.snapshotter().list())
        if (kind !== 'committed') left.push(name)
      expect(left).toEqual([])
    })

    it('pulls what is missing, and runs what the image says or is told', async () => {
      expect(await run('entry')).toEqual({ exitStatus: 3, stdout: 'own \n', stderr: '' })
      expect(await run('entry', { args: ['a', 'b'] })).toMatchObject({ stdout: 'a b\n' })
      const ids = await run('entry', { entrypoint: ['id'], args: ['-g'] })
      expect(ids).toEqual({ exitStatus: 0, stdout: '8\n', stderr: '' })
      // Its record can be gone, and its snapshot: the content is there.
      await client.images.delete(`${host}/entry:1`, { sync: true })
      expect(await run('entry', { pull: false }).catch(errorCode)).toBe('not_found')
      expect(await run('entry')).toMatchObject({ exitStatus: 3 })
      const image = await client.pull(`${host}/box:1`)
      expect(await run('box', { pull: false, args: ['true'] }).catch(errorCode)).toBe('failed_precondition')
      expect(await run('box', { args: ['true'] })).toMatchObject({ exitStatus: 0 })
      expect(await client.images.get(image.name)).toMatchObject({ target: image.target })
    })

    it('hands streams on in both directions, and a terminal with its size', async () => {
      const written: string[] = []
      const stdout = new Writable({
        write(chunk, _encoding, done) {
          written.push(String(chunk))
          done()
        },
      })
      const stdin = Readable.from(['one\n', 'two\n'])
      expect(await run('box', { args: ['cat'], stdin, stdout })).toMatchObject({ exitStatus: 0, stdout: '' })
      expect(written.join('')).toBe('one\ntwo\n')
      expect(stdout.writableEnded).toBe(false)
      // Input that nobody reads is no failure.
      expect(await run('box', { args: ['true'], stdin: 'x'.repeat(1 << 20) })).toMatchObject({
        exitStatus: 0,
      })
      const args = ['sh', '-c', 'stty size; tty; read line']
      const size = { width: 91, height: 33 }
      const shown = await run('box', { args, terminal: true, size, stdin: '\n' })
      // The terminal repeats its input whenever that comes.
      expect(shown.stdout).toMatch(/33 91\r\n(\r\n)?\/dev\/pts\/0\r\n/)
    })

    it('is ended by a signal, and by more output than is to be collected, and leaves nothing', async () => {
      const stop = new AbortController()
      const stdout = new Writable({
        write(_chunk, _encoding, done) {
          stop.abort(new Error('enough'))
          done()
        },
      })
      const args = ['sh', '-c', 'echo started; exec sleep 1000']
      await expect(run('box', { args, stdout, signal: stop.signal })).rejects.toThrow('enough')
      const endless = run('box', { args: ['yes'], maxOutput: 100_000 })
      expect(await endless.catch(errorCode)).toBe('resource_exhausted')
    })

    it('says what keeps a container from being made', async () => {
      expect(await run('missing').catch(errorCode)).toBe('not_found')
      const named = run('named', { args: ['true'] })
      await expect(named).rejects.toMatchObject({
        code: 'failed_precondition',
        message: expect.stringContaining('"somebody"'),
      })
      expect(await run('named', { args: ['id', '-u'], user: '5' })).toMatchObject({ stdout: '5\n' })
      expect(await run('box', { args: ['/nowhere'] }).catch(errorCode)).toBeDefined()
    })

    it('makes a container to work with, which stays', async () => {
      const box = await client.create({ image: `${host}/box:1`, id: 'kept', args: ['sleep', '1000'] })
      expect(box.id).toBe('kept')
      const again = client.create({ image: `${host}/box:1`, id: 'kept' })
      expect(await again.catch(errorCode)).toBe('already_exists')
      const info = await box.info()
      expect(info).toMatchObject({ image: `${host}/box:1`, snapshotKey: 'kept' })
      await client.snapshotter().remove('kept')
      await box.delete()
    })
  },
)
