import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type PushedImage, type Registry, run as runProgram, startRegistry } from '@nsbox/testing'
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
  async function build(directory: string, name: string, more: readonly string[] = []) {
    const flags = ['--network', 'none', '--provenance=false', '--progress=plain', '-t', name]
    const { code, stderr } = await lab.docker(['build', ...flags, ...more, directory])
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

  it('are built with a directory that builds share and a secret that nothing keeps', async () => {
    const context = join(lab.directory, 'shared')
    const out = join(lab.directory, 'out')
    await mkdir(context)
    const lines = [
      `FROM ${image.reference} AS made`,
      'ARG ROUND',
      'RUN --mount=type=cache,target=/kept echo $ROUND >> /kept/rounds && cp /kept/rounds /rounds',
      'RUN --mount=type=secret,id=token wc -c < /run/secrets/token > /length',
      'RUN test ! -e /kept/rounds && test ! -e /run/secrets/token',
      'FROM scratch',
      'COPY --from=made /rounds /length /',
    ]
    await writeFile(join(context, 'Dockerfile'), lines.join('\n'))
    const secret = 'a word that nobody else says'
    const token = join(context, 'token')
    await writeFile(token, secret)
    const made = async (round: string) => {
      const flags = ['--secret', `id=token,src=${token}`, '--build-arg', `ROUND=${round}`]
      await lab.told(['build', '--network', 'none', ...flags, '--output', `type=local,dest=${out}`, context])
      return await readFile(join(out, 'rounds'), 'utf8')
    }
    expect(await made('1')).toBe('1\n')
    expect(await made('2')).toBe('1\n2\n')
    expect(await readFile(join(out, 'length'), 'utf8')).toBe(`${secret.length}\n`)
    const places = [lab.server.root, lab.server.state, join(lab.directory, 'data')]
    expect(await runProgram('grep', ['-rlF', secret, ...places])).toMatchObject({ code: 1, stdout: '' })
  })

  it('are built from a cache that was exported to a directory or to a registry', async () => {
    const context = join(lab.directory, 'cached')
    await mkdir(context)
    await writeFile(join(context, 'file'), 'of the context\n')
    const lines = [
      `FROM ${image.reference} AS first`,
      'RUN head -c 16 /dev/urandom | md5sum > /made',
      `FROM ${image.reference}`,
      'COPY --from=first /made /made',
      'COPY file /srv/file',
    ]
    await writeFile(join(context, 'Dockerfile'), lines.join('\n'))
    const directory = join(lab.directory, 'cache')
    const reference = `${registry.host}/library/cache:1`
    const exports = [`type=local,dest=${directory},mode=max`, `type=registry,ref=${reference},mode=max`]
    const flags = exports.flatMap((to) => ['--cache-to', to])
    const first = await build(context, 'from-cache:1', flags)
    for (const from of [`type=local,src=${directory}`, `type=registry,ref=${reference}`]) {
      await lab.told(['rmi', 'from-cache:1'])
      await lab.told(['builder', 'prune', '-af'])
      expect(await lab.told(['system', 'df', '--format', '{{.Type}} {{.Size}}'])).toContain('Build Cache 0B')
      const again = await build(context, 'from-cache:1', ['--cache-from', from])
      expect(again.id).toBe(first.id)
      expect(again.cached).toContainEqual(expect.stringContaining('urandom'))
    }
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
