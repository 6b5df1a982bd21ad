import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type PushedImage, type Registry, startRegistry } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type EngineLab, engineNeeds, openEngineLab, pushBusybox } from './docker-engine.ts'

const stores = [
  ['images in the server', true],
  ['images of its own', false],
] as const

describeWith(engineNeeds, 'Docker Engine with', () => {
  const resources = new AsyncDisposableStack()
  let registry: Registry
  let image: PushedImage

  beforeAll(async () => {
    registry = resources.use(await startRegistry())
    image = await pushBusybox(registry)
  })
  afterAll(() => resources.disposeAsync())

  describe.each(stores)('%s', (_, containerdStore) => {
    let lab: EngineLab
    beforeAll(async () => {
      lab = await openEngineLab({ containerdStore, registry })
      await lab.told(['pull', '-q', image.reference])
    })
    afterAll(() => lab[Symbol.asyncDispose]())
    afterEach(async () => {
      await expect.poll(() => lab.leftovers()).toEqual([])
    })

    const run = ['run', '--network', 'none']
    const state = (name: string, field: string) => lab.told(['inspect', '-f', `{{.State.${field}}}`, name])
    /** Of the tasks, as the server says. */
    const statuses = async () => (await lab.client.tasks.list()).map(({ status }) => status)
    /** Starts a container that says when it is asked to stop. */
    async function started(name: string): Promise<AsyncDisposable> {
      const script = 'trap "echo stopping; exit 3" TERM; echo started; sleep 1000 & wait'
      await lab.told([...run, '-d', '--name', name, image.reference, 'sh', '-c', script])
      await expect.poll(() => lab.told(['logs', name])).toBe('started')
      return { [Symbol.asyncDispose]: async () => void (await lab.told(['rm', '-f', name])) }
    }

    it('keeps what it pulled where it should', async () => {
      const digests = await lab.told(['image', 'inspect', '-f', '{{index .RepoDigests 0}}', image.reference])
      expect(digests.split('@')[1]).toBe(image.digest)
      const images = (await lab.client.images.list()).map(({ name }) => name)
      expect(images).toEqual(containerdStore ? [image.reference] : [])
    })

    it('runs a program with both of its outputs, its input and its exit status', async () => {
      const script = 'echo out; echo err >&2; cat; exit 7'
      const { code, stdout, stderr } = await lab.docker(
        [...run, '--rm', '-i', image.reference, 'sh', '-c', script],
        { input: 'typed\n' },
      )
      expect({ code, stdout, stderr }).toEqual({ code: 7, stdout: 'out\ntyped\n', stderr: 'err\n' })
    })

    it('shows which revision of the server it runs on', async () => {
      const { revision } = await lab.client.version()
      expect(revision).toMatch(/^[0-9a-f]{40}/)
      expect(await lab.told(['info', '--format', '{{.ContainerdCommit.ID}}'])).toBe(revision)
    })

    it('says of a program that is not there what the runtime said', async () => {
      const { code, stderr } = await lab.docker([...run, '--rm', image.reference, '/none'])
      expect(code).toBe(127)
      expect(stderr).toContain('exec: "/none": stat /none: no such file or directory')
    })

    it('runs further processes in a container, and lists them all', async () => {
      await using _ = await started('shared')
      const script = 'cat; echo err >&2; exit 5'
      const { code, stdout, stderr } = await lab.docker(['exec', '-i', 'shared', 'sh', '-c', script], {
        input: 'typed\n',
      })
      expect({ code, stdout, stderr }).toEqual({ code: 5, stdout: 'typed\n', stderr: 'err\n' })
      await lab.told(['exec', '-d', 'shared', 'sleep', '2000'])
      // Numbers start from the beginning when they have run out, so their order says nothing.
      const top = async () => {
        const lines = (await lab.told(['top', 'shared', '-eo', 'pid,args'])).split('\n').slice(1)
        const processes = lines.map((line) => /^\s*(\d+)\s+(.*)$/.exec(line)!)
        return Object.fromEntries(processes.map(([, pid, command]) => [command!.slice(0, 10), pid]))
      }
      await expect.poll(top).toEqual({
        'sh -c trap': await state('shared', 'Pid'),
        'sleep 1000': expect.any(String),
        'sleep 2000': expect.any(String),
      })
    })

    it('pauses, continues, stops and starts again', async () => {
      await using _ = await started('kept')
      await lab.told(['pause', 'kept'])
      expect(await state('kept', 'Status')).toBe('paused')
      expect(await statuses()).toEqual(['paused'])
      await lab.told(['unpause', 'kept'])
      expect(await statuses()).toEqual(['running'])
      await lab.told(['stop', 'kept'])
      expect(await state('kept', 'Status')).toBe('exited')
      expect(await state('kept', 'ExitCode')).toBe('3')
      expect(await statuses()).toEqual([])
      await lab.told(['start', 'kept'])
      await expect.poll(() => lab.told(['logs', 'kept'])).toBe('started\nstopping\nstarted')
      await lab.told(['restart', 'kept'])
      await expect
        .poll(() => lab.told(['logs', 'kept']))
        .toBe('started\nstopping\nstarted\nstopping\nstarted')
      expect(await state('kept', 'Running')).toBe('true')
    })

    it('tells what a container changed, copies into it and out of it, and makes an image of it', async () => {
      await using _ = await started('changed')
      const file = join(lab.directory, 'copied')
      await writeFile(file, 'from outside\n')
      await lab.told(['cp', file, 'changed:/srv/copied'])
      await lab.told(['exec', 'changed', 'sh', '-c', 'rm /etc/motd; cat /srv/copied > /new'])
      const changes = (await lab.told(['diff', 'changed'])).split('\n').sort()
      expect(changes).toEqual(['A /new', 'A /srv/copied', 'C /etc', 'C /srv', 'D /etc/motd'])
      await lab.told(['cp', 'changed:/new', `${file}-back`])
      expect(await readFile(`${file}-back`, 'utf8')).toBe('from outside\n')

      await lab.told(['commit', 'changed', 'changed:1'])
      const script = 'cat /new /srv/copied /srv/data; ls /etc'
      expect(await lab.told([...run, '--rm', 'changed:1', 'sh', '-c', script])).toMatch(
        /^from outside\nfrom outside\ndata\n(?!.*motd)/s,
      )
      await lab.told(['rmi', 'changed:1'])
    })
  })
})
