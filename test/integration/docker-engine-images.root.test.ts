import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type PushedImage, type Registry, startRegistry } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type EngineLab, engineNeeds, openEngineLab, pushBusybox } from './docker-engine.ts'
import { startServer } from './programs.ts'

const buildx = '/usr/libexec/docker/cli-plugins/docker-buildx'
const wanted = { ...engineNeeds, programs: [...engineNeeds.programs, buildx] }

describeWith(wanted, 'images of Docker Engine', () => {
  const resources = new AsyncDisposableStack()
  let registry: Registry
  let lab: EngineLab
  let image: PushedImage

  beforeAll(async () => {
    registry = resources.use(await startRegistry())
    image = await pushBusybox(registry)
    lab = resources.use(await openEngineLab({ containerdStore: true, registry }))
  })
  afterAll(() => resources.disposeAsync())
  beforeEach(async () => {
    await lab.told(['pull', '-q', image.reference])
  })

  const run = (name: string, ...command: string[]) =>
    lab.told(['run', '--rm', '--network', 'none', name, ...command])
  /** Builds an image, and says its id and which steps were taken from the cache. */
  async function build(directory: string, name: string) {
    const flags = ['--network', 'none', '--provenance=false', '--progress=plain', '-t', name]
    const { code, stderr } = await lab.docker(['build', ...flags, directory])
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    const steps = [...stderr.matchAll(/^#(\d+) (\[.*)$/gm)]
    const cached = steps.filter(([, number]) => stderr.includes(`\n#${number} CACHED`))
    const id = await lab.told(['image', 'inspect', '-f', '{{.Id}}', name])
    return { id, cached: cached.map(([, , step]) => step!) }
  }

  it('are saved, removed and loaded again as they were', async () => {
    const archive = join(lab.directory, 'saved.tar')
    const id = await lab.told(['image', 'inspect', '-f', '{{.Id}}', image.reference])
    await lab.told(['save', '-o', archive, image.reference])
    await lab.told(['rmi', image.reference])
    expect((await lab.client.images.list()).map(({ name }) => name)).not.toContain(image.reference)
    expect(await lab.told(['load', '-q', '-i', archive])).toBe(`Loaded image: ${image.reference}`)
    expect(await lab.told(['image', 'inspect', '-f', '{{.Id}}', image.reference])).toBe(id)
    expect(await run(image.reference, 'cat', '/etc/motd')).toBe('hello')
  })

  it('are built, once, and run on another server after a push', async () => {
    const context = join(lab.directory, 'context')
    await mkdir(context)
    await writeFile(join(context, 'file'), 'of the context\n')
    const lines = [
      `FROM ${image.reference} AS first`,
      'RUN echo made > /made && mkdir /srv/empty',
      `FROM ${image.reference}`,
      'COPY --from=first /made /srv/made',
      'COPY file /srv/file',
      'RUN rm /etc/motd && cat /srv/data /srv/made /srv/file > /all',
      'ENV OF=build',
      'CMD echo $OF; cat /all; test -e /etc/motd || echo removed; ls /srv',
    ]
    await writeFile(join(context, 'Dockerfile'), lines.join('\n'))
    const first = await build(context, 'built:1')
    expect(first.cached).toEqual([])
    const said = 'build\ndata\nmade\nof the context\nremoved\ndata\nfile\nmade'
    expect(await run('built:1')).toBe(said)
    const second = await build(context, 'built:2')
    expect(second.id).toBe(first.id)
    const made = lines.filter((line) => /^(RUN|COPY)/.test(line))
    expect(second.cached.map((step) => step.replace(/^\[.*?\] /, '')).sort()).toEqual(made.sort())

    const pushed = `${registry.host}/library/built:1`
    await lab.told(['tag', 'built:1', pushed])
    await lab.told(['push', '-q', pushed])
    await using other = await startServer()
    expect(await other.dist(['pull', '--plain-http', pushed])).toMatchObject({ code: 0 })
    const fifos = ['--fifo-dir', join(lab.directory, 'fifos')]
    const { stdout, stderr } = await other.ctr(['run', '--rm', ...fifos, pushed, 'elsewhere'])
    expect({ stdout, stderr }).toEqual({ stdout: `${said}\n`, stderr: '' })
  })

  it('leave nothing in the server when they are pruned', async () => {
    await lab.told(['system', 'prune', '-af'])
    expect(await lab.told(['system', 'df', '--format', '{{.Type}} {{.TotalCount}} {{.Size}}'])).toBe(
      ['Images 0 0B', 'Containers 0 0B', 'Local Volumes 0 0B', 'Build Cache 0 0B'].join('\n'),
    )
    for (const { args, says } of [
      { args: ['images', 'ls', '-q'], says: '' },
      { args: ['containers', 'ls', '-q'], says: '' },
      { args: ['content', 'ls', '-q'], says: '' },
      { args: ['content', 'active', '--json'], says: '[]' },
      { args: ['leases', 'ls', '-q'], says: '' },
      { args: ['snapshots', 'ls', '--json'], says: '[]' },
    ]) {
      const left = async () => (await lab.server.ctr(['-n', 'moby', ...args])).stdout.trim()
      // What nobody holds any more is removed beside other work.
      await expect.poll(left, { message: args.join(' ') }).toBe(says)
    }
  })
})
