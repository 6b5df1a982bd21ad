import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from '@nsbox/client'
import {
  type BusyboxArchive,
  busyboxArchive,
  removeCgroup,
  run,
  runOrThrow,
  startContainerd,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runCommand } from './command-host.ts'
import { startServer } from './programs.ts'

/** Lines without times, and labels in one order: stock `ctr` prints them in any. */
const comparable = (text: string) =>
  text
    .split('\n')
    .map((line) => line.replace(/(\d\d:\d\d:\d\d)(\.\d+)?Z/g, 'TIME'))
    .map((line) => (/^\S+=\S+$/.test(line) ? line.split(',').sort().join(',') : line))

/** The last line, which is all that stock `ctr` tells of an error besides its log. */
const lastLine = (text: string) => text.trimEnd().split('\n').at(-1)

describeWith(
  { root: true, programs: ['containerd', 'ctr', 'runc', 'busybox'] },
  'the container commands',
  () => {
    const resources = new AsyncDisposableStack()
    const addresses: Record<string, string> = {}
    let archive: BusyboxArchive
    let rootfs: string
    let namespaces = 0

    beforeAll(async () => {
      const { path } = resources.use(await tempDir('nsbox-containers'))
      archive = await busyboxArchive(path)
      rootfs = join(path, 'rootfs')
      await mkdir(join(rootfs, 'bin'), { recursive: true })
      await runOrThrow('cp', ['/bin/busybox', join(rootfs, 'bin/busybox')])
      addresses['nsbox-server'] = resources.use(await startServer()).address
      addresses.containerd = resources.use(await startContainerd()).address
    })

    afterAll(() => resources.disposeAsync())

    describe.each(['nsbox-server', 'containerd'])('against %s', (server) => {
      let namespace = ''
      const address = () => ['-a', addresses[server]!, '-n', namespace]
      const ours = (...args: string[]) => runCommand('ctr', [...address(), ...args])
      const stock = (...args: string[]) => run('/usr/bin/ctr', [...address(), ...args])

      /** What a command prints, where it succeeds. */
      async function good(result: ReturnType<typeof run>): Promise<string> {
        const { code, stdout, stderr } = await result
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
        return stdout
      }

      /** Has stock `ctr` run the same command, and holds the two outputs against each other. */
      async function same(...args: string[]): Promise<string> {
        const [mine, theirs] = await Promise.all([ours(...args), stock(...args)])
        expect({
          args,
          code: mine.code,
          stdout: comparable(mine.stdout),
          error: lastLine(mine.stderr),
        }).toEqual({
          args,
          code: theirs.code,
          stdout: comparable(theirs.stdout),
          error: lastLine(theirs.stderr),
        })
        return mine.stdout
      }

      const snapshots = async () =>
        (await good(stock('snapshots', 'ls')))
          .split('\n')
          .slice(1, -1)
          .map((line) => line.split(/\s+/)[0])

      beforeEach(async () => {
        namespace = `ns${namespaces++}`
        await runOrThrow('/usr/bin/ctr', [...address(), 'images', 'import', archive.path])
      })

      it('list, show and label containers as stock ctr does', async () => {
        const command = ['/bin/busybox', 'sh', '-c', 'a && b < c > d']
        await good(stock('containers', 'create', '--label', 'one=1', archive.name, 'imaged', ...command))
        await good(stock('containers', 'create', '--rootfs', rootfs, 'plain', '/bin/busybox', 'true'))
        await using client = connect({ address: addresses[server], namespace })
        const json = (text: string) => ({
          typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Spec',
          value: Buffer.from(text),
        })
        await client.containers.create({
          id: 'other',
          runtime: { name: 'other.runtime', options: { typeUrl: '', value: Uint8Array.of(1, 2) } },
          spec: json('{"ociVersion":"1.2.0","annotations":{"a":"<&>\u2028"}}'),
          extensions: {
            z: { typeUrl: 'an.Extension', value: new Uint8Array() },
            a: { typeUrl: 'another.Extension', value: Uint8Array.of(255) },
          },
        })
        await client.containers.create({ id: 'bad', runtime: { name: 'r' }, spec: json('{') })

        const shown = [
          ['containers', 'ls'],
          ['c', 'list', '-q'],
          ['container', 'ls', '-q', 'labels.one==1', 'id==other'],
          ['containers', 'ls', 'id=='],
          ...['imaged', 'plain', 'other', 'none'].map((id) => ['containers', 'info', id]),
          ['-n', 'none', 'containers', 'info', 'none'],
        ]
        await Promise.all(shown.map((args) => same(...args)))
        for (const id of ['imaged', 'other'])
          expect(await same('c', 'info', '--spec', id)).toBe(await good(ours('c', 'spec', id)))
        expect((await ours('c', 'info', 'bad')).stderr).toMatch(/^ctr: spec of container bad: .*JSON/)
        expect(await same('containers', 'label', 'plain', 'one=2', 'two=2', 'three')).toBe(
          'one=2,three=true,two=2\n',
        )
        await same('containers', 'label', 'plain', 'one=', 'three=')
        await same('containers', 'label', 'plain', 'two=')
        await same('containers', 'label', 'none', 'two=')
        await same('containers', 'label', 'plain', `long=${'x'.repeat(4096)}`)
        expect(await good(ours('containers', 'label', 'plain'))).toBe('\n')
        expect(JSON.parse(await good(ours('containers', 'ls', '--json', 'id==other')))).toMatchObject([
          { id: 'other', image: '', runtime: 'other.runtime', labels: {}, extensions: ['a', 'z'] },
        ])
        await good(ours('containers', 'rm', 'imaged', 'plain', 'other', 'bad'))
      })

      it('make containers that are like those of stock ctr', async () => {
        // Whether specs are alike in everything that one can say is tested where they are made.
        const shown = async (id: string) => {
          const { Spec, CreatedAt, UpdatedAt, ...rest } = JSON.parse(
            await good(stock('containers', 'info', id)),
          )
          const { process, hostname } = Spec
          return { ...rest, ID: 'ID', SnapshotKey: rest.SnapshotKey.replace(id, 'ID'), process, hostname }
        }
        for (const args of [
          [archive.name],
          ['--label', 'a=1', '--env', 'X=y', '--cwd', '/bin', '--tty', archive.name],
          ['--rootfs', '--net-host', '--hostname', 'host', '--memory-limit', '10000000', rootfs],
        ]) {
          const [before, from] = [args.slice(0, -1), args.at(-1)!]
          expect(await good(ours('containers', 'create', ...before, from, 'ours', 'sh', '-c', 'a'))).toBe('')
          await good(stock('containers', 'create', ...before, from, 'theirs', 'sh', '-c', 'a'))
          expect(await shown('ours')).toEqual(await shown('theirs'))
          await same('containers', 'create', ...before, from, 'ours', 'sh', '-c', 'a')
          await good(ours('containers', 'rm', 'ours', 'theirs'))
        }
        expect(await snapshots()).toHaveLength(1)
        for (const args of [
          [],
          [archive.name],
          ['none', 'x'],
          [archive.name, 'a/b'],
          ['--config', '/none', 'x'],
        ])
          expect(await ours('containers', 'create', ...args)).toMatchObject({ code: 1, stdout: '' })
        expect(await good(ours('containers', 'ls', '-q'))).toBe('')
        expect(await snapshots()).toHaveLength(1)
        expect(await good(stock('leases', 'ls', '-q'))).toBe('')
      })

      it('delete containers with what only they held', async () => {
        await good(stock('containers', 'create', archive.name, 'x'))
        await good(stock('containers', 'create', archive.name, 'kept'))
        await good(stock('containers', 'create', '--rootfs', rootfs, 'bare', '/bin/busybox'))
        await runOrThrow('/usr/bin/ctr', [...address(), 'images', 'rm', '--sync', archive.name])
        // Roots of the collector: their snapshots are there without the image.
        expect(await snapshots()).toEqual(expect.arrayContaining(['x', 'kept']))
        await good(ours('snapshots', 'label', 'kept', 'containerd.io/gc.root=now'))
        await good(ours('containers', 'rm', '--keep-snapshot', 'kept'))
        const failed = await ours('containers', 'delete', 'x', 'none', 'bare', 'kept')
        expect(failed).toMatchObject({ code: 1, stdout: '' })
        expect(failed.stderr).toBe(
          `failed to delete container "kept": container "kept" in namespace "${namespace}": not found\n` +
            `ctr: container "none" in namespace "${namespace}": not found\n`,
        )
        expect(await good(ours('containers', 'ls', '-q'))).toBe('')
        expect(await snapshots()).toEqual(expect.arrayContaining(['kept']))
        expect(await snapshots()).not.toContain('x')
        await good(ours('snapshots', 'label', 'kept', 'containerd.io/gc.root='))
        await good(ours('leases', 'create', '--id', 'last'))
        await good(ours('leases', 'rm', '--sync', 'last'))
        expect(await snapshots()).toEqual([])
      })
    })

    it('refuse to delete a container that runs', async () => {
      // Its own, since the state of runc is the machine's.
      const namespace = `running-${process.pid}`
      const address = ['-a', addresses.containerd!, '-n', namespace]
      const ours = (...args: string[]) => runCommand('ctr', [...address, ...args])
      const stock = (...args: string[]) => runOrThrow('/usr/bin/ctr', [...address, ...args])
      const state = async () => (await stock('tasks', 'ls')).stdout
      await stock('run', '-d', '--null-io', '--rootfs', rootfs, 'x', '/bin/busybox', 'sleep', '1000')
      try {
        expect(await ours('containers', 'rm', 'x')).toMatchObject({
          code: 1,
          stderr: 'ctr: cannot delete a non stopped container: {running 0 0001-01-01 00:00:00 +0000 UTC}\n',
        })
        await stock('tasks', 'pause', 'x')
        expect((await ours('containers', 'rm', 'x')).stderr).toContain('{paused 0 ')
        await stock('tasks', 'resume', 'x')
      } finally {
        await stock('tasks', 'kill', '--signal', 'SIGKILL', 'x')
      }
      await expect.poll(state).toContain('STOPPED')
      expect(await ours('containers', 'rm', 'x')).toMatchObject({ code: 0, stdout: '', stderr: '' })
      await removeCgroup(namespace)
      expect(await state()).not.toContain('STOPPED')
    })
  },
)
