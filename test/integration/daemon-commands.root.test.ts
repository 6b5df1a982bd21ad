import { existsSync } from 'node:fs'
import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ctrProgram } from '@nsbox/ctr'
import { digestOf, mediaTypes } from '@nsbox/oci'
import {
  buildImage,
  filesLayer,
  pushImage,
  type Registry,
  run,
  runOrThrow,
  startContainerd,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runCommand } from './command-host.ts'
import { stockCommands } from './command-matrix/stock-commands.ts'
import { program, startServer } from './programs.ts'

/** Commands of stock `ctr` that are tools for containerd's developers, or install programs on the host. */
const notWanted = /^(install|pprof \w+|shim \w+)$/

/** Lines without what fills them up, and without the plugin's exports in an order of their own. */
const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '))
    .filter((line) => line !== '')

describeWith(
  { root: true, programs: ['containerd', 'ctr', 'docker-registry', 'skopeo'] },
  'the commands for a daemon and what it holds',
  () => {
    const resources = new AsyncDisposableStack()
    const addresses: Record<string, string> = {}
    let registry: Registry
    let reference: string
    let multi: string
    let config: string
    let manifest: string
    let namespaces = 0

    beforeAll(async () => {
      registry = resources.use(await startRegistry())
      const { path } = resources.use(await tempDir('nsbox-layout'))
      const image = await buildImage(join(path, 'layout'), { layers: [filesLayer({ a: 'a' })] })
      config = image.manifests[0]!.config.digest
      manifest = image.target.digest
      reference = (await pushImage(image, registry, 'library/small:1')).reference
      const platforms = ['amd64', 'arm64'].map((architecture) => {
        return { layers: [filesLayer({ architecture })], platform: { os: 'linux', architecture } }
      })
      const both = await buildImage(join(path, 'both'), platforms)
      multi = (await pushImage(both, registry, 'library/multi:1', { format: 'v2s2' })).reference
      addresses['nsbox-server'] = resources.use(await startServer()).address
      addresses.containerd = resources.use(await startContainerd()).address
    })
    afterAll(() => resources.disposeAsync())

    it('are all that stock ctr has, with all options, but for those that nobody wants', async () => {
      const lacking = (await stockCommands()).flatMap(({ words, options }) => {
        const name = words.map(([first]) => first).join(' ')
        if (notWanted.test(name)) return []
        const names = optionsOf(ctrProgram(), words)
        if (names === undefined) return [name]
        return options.flat().flatMap((option) => (names.has(option) ? [] : [`${name} ${option}`]))
      })
      expect(lacking).toEqual([])
    })

    const ours = (...args: string[]) => ['-a', addresses['nsbox-server']!, ...args]

    it('remove a namespace with its cgroup', async () => {
      const namespace = `daemon${namespaces++}`
      await runOrThrow(program('ctr'), ours('namespaces', 'create', namespace))
      const directory = join('/sys/fs/cgroup', await hierarchy(), namespace)
      await mkdir(join(directory, 'busy'), { recursive: true })
      const remove = ['namespaces', 'rm', '--cgroup', namespace]
      expect(await runCommand('ctr', ours(...remove))).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(directory),
      })
      await rmdir(join(directory, 'busy'))
      expect(await runCommand('ctr', ours(...remove))).toMatchObject({ code: 0, stdout: `${namespace}\n` })
      expect(existsSync(directory)).toBe(false)
      expect(await runCommand('ctr', ours(...remove))).toMatchObject({ code: 0, stdout: `${namespace}\n` })
    })

    it('refuse what they cannot do, and say why', async () => {
      for (const [args, why] of [
        [['containers', 'create', '--pid-file', 'x', reference, 'one'], 'tasks start takes --pid-file'],
        [['images', 'convert', '--erofs', reference, 'x'], 'never as EROFS'],
        [['images', 'convert', '--erofs-compressors', 'lz4', reference, 'x'], 'never as EROFS'],
        [['images', 'build-erofs-cache', '--dmverity', reference, '/x'], 'never as EROFS'],
      ] as const)
        expect(await runCommand('ctr', ours(...args))).toMatchObject({
          code: 1,
          stderr: expect.stringContaining(why),
        })
    })

    describe.each(['nsbox-server', 'containerd'])('against %s', (server) => {
      let namespace: string
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
        const [mine, theirs] = await Promise.all([good(ours(...args)), good(stock(...args))])
        expect({ args, shown: lines(mine) }).toEqual({ args, shown: lines(theirs) })
        return mine
      }

      /** Whatever it says: it may complain of what it looked at too late. */
      const pull = (...args: string[]) => {
        const pulled = args.length === 0 ? [reference] : args
        return runOrThrow('/usr/bin/ctr', [...address(), 'images', 'pull', '--plain-http', ...pulled])
      }

      beforeEach(() => {
        namespace = `daemon${namespaces++}`
      })

      it('tell of the server and its plugins as stock ctr does', async () => {
        await same('info')
        await same('plugins', 'ls')
        await same('plugins', 'ls', '-q')
        await same('plugins', 'list', 'type==io.containerd.snapshotter.v1')
        await same('plugin', 'ls', '-d', 'type==io.containerd.snapshotter.v1')
        await same('deprecations', 'list')
        const json = await good(ours('plugins', 'ls', '--json', 'id==overlayfs'))
        expect(JSON.parse(json)).toMatchObject([
          {
            type: 'io.containerd.snapshotter.v1',
            id: 'overlayfs',
            status: 'ok',
            exports: { root: expect.anything() },
          },
        ])
        expect(await good(ours('deprecations', 'list', '--json'))).toBe('[]\n')
        const inspect = ['plugins', 'inspect-runtime', '--runc-binary', 'runc']
        if (server === 'containerd')
          expect(await ours(...inspect)).toMatchObject({
            code: 1,
            stderr: expect.stringContaining('PluginInfo'),
          })
        else
          expect(JSON.parse(await good(ours(...inspect)))).toMatchObject({
            Name: 'runc',
            Version: { Version: expect.stringMatching(/^\d/) },
            Options: { binary_name: 'runc' },
            Features: { ociVersionMax: expect.stringMatching(/^1/) },
            Annotations: null,
          })
      })

      it('push images, by the server and by themselves', async () => {
        const repository = `${registry.host}/pushed/${namespace}`
        await pull()
        const push = ['images', 'push', '--plain-http']
        // The server of containerd 1.7 cannot be told to use plain HTTP.
        const tags = server === 'containerd' ? [] : ['server']
        for (const tag of tags) await good(ours(...push, `${repository}:${tag}`, reference))
        await good(
          ours(...push, '--local', '--max-concurrent-uploaded-layers', '1', `${repository}:here`, reference),
        )
        await good(ours(...push, '--local', '--manifest', manifest, `${repository}:manifest`))
        for (const tag of [...tags, 'here', 'manifest']) {
          const digest = `docker://${repository}:${tag}`
          const inspect = ['--tls-verify=false', '--format', '{{.Digest}}', digest]
          expect((await runOrThrow('skopeo', ['inspect', ...inspect])).stdout).toBe(`${manifest}\n`)
        }
        const refused = await ours(...push, '--manifest', manifest, `${repository}:x`)
        expect(refused).toMatchObject({ code: 1, stderr: 'ctr: "--manifest" requires "--local" flag\n' })
      })

      it('tell as JSON what the table of images tells', async () => {
        await pull()
        const table = await same('images', 'ls')
        const [image] = JSON.parse(await good(ours('images', 'ls', '--json')))
        expect(image).toMatchObject({ name: reference, target: { digest: manifest }, labels: {} })
        expect(lines(table)[1]).toContain(` ${image.size.toFixed(1)} B ${image.platforms.join(',')} `)
      })

      it('fetch blobs of a repository', async () => {
        await same('content', 'fetch-blob', '--plain-http', reference, config)
        const asked = [
          '--plain-http',
          '--http-dump',
          '--user',
          'ann:sesame',
          '--media-type',
          mediaTypes.ociManifest,
        ]
        const fetched = await ours('content', 'fetch-blob', ...asked, reference, manifest)
        expect(digestOf(fetched.stdout)).toBe(manifest)
        expect(fetched.stderr).toContain(`GET /v2/library/small/manifests/${manifest} HTTP/1.1\n`)
        expect(fetched.stderr).toContain(`accept: ${mediaTypes.ociManifest}, `)
        const none = `sha256:${'0'.repeat(64)}`
        expect(await ours('content', 'fetch-blob', '--plain-http', reference, none)).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('not found'),
        })
      })

      it('prune images that no container is of', async () => {
        await pull()
        await good(stock('images', 'tag', reference, 'example.com/unused:1'))
        await good(stock('containers', 'create', reference, 'one', 'true'))
        const kept = await ours('images', 'prune')
        expect(kept).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('requires --all') })
        expect(await good(ours('images', 'prune', '--all'))).toBe('deleted image: example.com/unused:1\n')
        expect(await good(stock('images', 'ls', '-q'))).toBe(`${reference}\n`)
        await good(stock('containers', 'rm', 'one'))
      })

      it('fetch the documents of an image alone, as stock ctr does, and show them as a tree', async () => {
        const fetch = ['content', 'fetch', '--plain-http', '--metadata-only', multi]
        expect(await ours(...fetch)).toMatchObject({ code: 0 })
        const mine = await good(stock('content', 'ls', '-q'))
        // An index, and manifest and config of each of two platforms.
        expect(lines(mine)).toHaveLength(5)
        namespace = `${namespace}-stock`
        expect(await stock(...fetch)).toMatchObject({ code: 0 })
        expect(await good(stock('content', 'ls', '-q'))).toBe(mine)
        expect(await ours('content', 'fetch', '--skip-metadata', '--all-metadata', multi)).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('cannot be used with'),
        })

        const [{ target }] = JSON.parse(await good(ours('images', 'ls', '--json')))
        const document = async (digest: string) => JSON.parse(await good(stock('content', 'get', digest)))
        const line = (place: string, { mediaType, digest, size }: Record<string, unknown>) =>
          `${place}── ${mediaType} @${digest} (${size} bytes)`
        const expected = [line('└', target)]
        const { manifests } = await document(target.digest)
        for (const [index, manifest] of manifests.entries()) {
          const [branch, rest] = index === manifests.length - 1 ? ['└', ' '] : ['├', '│']
          const { config, layers } = await document(manifest.digest)
          expected.push(line(`    ${branch}`, manifest))
          expected.push(`    ${rest}   │    Platform: linux/${manifest.platform.architecture}`)
          expected.push(line(`    ${rest}   ├`, config), line(`    ${rest}   └`, layers[0]))
        }
        const tree = (await good(ours('images', 'inspect', multi))).trimEnd().split('\n')
        expect(tree.slice(0, 3)).toEqual([
          multi,
          expect.stringMatching(/^│ {4}Created: \d{4}-.* \+0000 UTC$/),
          expect.stringMatching(/^│ {4}Updated: \d{4}-.* \+0000 UTC$/),
        ])
        expect(tree.slice(3)).toEqual(expected)
        const whole = await good(ours('i', 'i', '--content', multi))
        expect(whole).toContain(`    │   │   │   "architecture": "amd64"`)

        await good(stock('content', 'rm', manifests[0].digest))
        expect((await good(ours('images', 'inspect', multi))).split('\n')).toContain(
          '    │   └──  Content does not exist locally, skipping',
        )
        expect(await ours('images', 'inspect', 'none')).toMatchObject({ code: 1, stdout: '' })
      })

      it('pull documents of other platforms only if they are asked for', async () => {
        const foreign = process.arch === 'arm64' ? 'amd64' : 'arm64'
        const pulled = ['images', 'pull', '--plain-http', '--local', '--no-unpack']
        // An index, and manifest, config and layer of this platform; and then manifest and config of the other one.
        for (const [flag, count] of [
          ['--skip-metadata', 4],
          ['--all-metadata', 6],
        ] as const) {
          namespace = `${namespace}-${count}`
          await good(ours(...pulled, '--quiet', flag, multi))
          expect(lines(await good(stock('content', 'ls', '-q')))).toHaveLength(count)
          const { stdout } = await ours('images', 'inspect', multi)
          expect(stdout.split(`Platform: linux/${foreign}`)).toHaveLength(2)
          expect(stdout.includes('does not exist locally')).toBe(flag === '--skip-metadata')
        }
        // Containerd 1.7 does not know of the log.
        if (server === 'containerd') return
        const debug = ['--http-dump', '--http-trace', '--no-unpack', '--user', 'ann:sesame']
        const told = await ours('images', 'pull', '--plain-http', '--quiet', ...debug, multi)
        expect(told.code).toBe(0)
        expect(told.stderr).toMatch(/^HEAD \/v2\/library\/multi\/manifests\/1 HTTP\/1\.1$/m)
        expect(told.stderr).toMatch(/^HEAD http:\S+\/v2\/library\/multi\/manifests\/1: 200 in \d+ ms$/m)
      })

      it('let go of layers that are unpacked', async () => {
        await pull()
        const before = (await good(stock('content', 'ls', '-q'))).split('\n').length
        const named = await good(ours('content', 'prune', 'references', '--dry'))
        expect(named).toBe(`${manifest} containerd.io/gc.ref.content.l.0\n`)
        expect(await good(ours('content', 'prune', 'references'))).toBe(named)
        expect((await good(stock('content', 'ls', '-q'))).split('\n')).toHaveLength(before - 1)
        expect(await good(ours('content', 'prune', 'references', '--async'))).toBe('')
      })

      it('convert images to what stock ctr makes of them', async () => {
        await pull('--all-platforms', '--local', multi)
        for (const flags of [
          ['--oci'],
          ['--uncompress', '--platform', 'linux/arm64', '--platform', 'linux/amd64'],
        ]) {
          const convert = ['images', 'convert', ...flags, multi]
          const mine = await good(ours(...convert, 'example.com/mine:1'))
          expect({ flags, digest: await good(stock(...convert, 'example.com/theirs:1')) }).toEqual({
            flags,
            digest: mine,
          })
          const target = { name: 'example.com/mine:1', target: { digest: mine.trim() } }
          expect(
            JSON.parse(await good(ours('images', 'ls', '--json', 'name==example.com/mine:1'))),
          ).toMatchObject([target])
        }
        const none = ['images', 'convert', '--oci', '--platform', 'linux/s390x', multi, 'example.com/none:1']
        expect(await ours(...none)).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('no manifest for'),
        })
        expect(await good(stock('images', 'ls', '-q', 'name==example.com/none:1'))).toBe('')
      })

      it('run, list and remove sandboxes', async () => {
        const { path } = resources.use(await tempDir('nsbox-pod'))
        const pod = join(path, 'pod.json')
        await writeFile(pod, JSON.stringify({ hostname: 'pod' }))
        // containerd 1.7.24 does what it is asked for and answers with an error (docs/behaviour.md §18).
        if (server === 'containerd') expect((await stock('sandboxes', 'run', pod, 'one')).code).toBe(1)
        else {
          expect(await good(ours('sandboxes', 'run', pod, 'one'))).toBe('one\n')
          expect((await ours('sandboxes', 'run', pod, 'one')).stderr).toContain('already exists')
          const none = ['--runtime', 'io.containerd.none.v1', pod, 'two']
          expect(await ours('sandboxes', 'run', ...none)).toMatchObject({ code: 1, stdout: '' })
        }
        // What could not be started has left nothing.
        expect(lines(await same('sandboxes', 'list'))).toHaveLength(2)
        const [sandbox] = JSON.parse(await good(ours('s', 'ls', '--json', '--filters', 'id==one')))
        expect(sandbox).toMatchObject({ id: 'one', runtime: 'io.containerd.runc.v2' })
        expect(JSON.parse(await good(ours('s', 'i', 'one')))).toMatchObject({
          ID: 'one',
          Labels: null,
          Runtime: { Name: 'io.containerd.runc.v2' },
          Spec: { hostname: 'pod' },
        })
        const gone = await ours('sandboxes', 'rm', '--force', 'none', 'one')
        expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining('none') })
        expect(await good(ours('sandboxes', 'ls', '-q'))).toBe('')
      })

      it('take 0 for no limit', async () => {
        await good(
          ours('--timeout', '0', '--connect-timeout', '0', 'leases', 'create', '--id', 'l', '-x', '0'),
        )
        const [lease] = JSON.parse(await good(ours('leases', 'ls', '--json')))
        expect(lease).toMatchObject({ id: 'l', labels: {} })
        await good(ours('leases', 'rm', 'l'))
      })
    })
  },
)

/** A directory of a hierarchy of cgroups, below where they are mounted. */
async function hierarchy(): Promise<string> {
  return (await readdir('/sys/fs/cgroup')).includes('pids') ? 'pids' : ''
}

/** The names of the options that a command takes, those for all commands included; undefined if it is not there. */
function optionsOf(
  command: ReturnType<typeof ctrProgram>,
  words: readonly (readonly string[])[],
): Set<string | undefined> | undefined {
  const own = new Set(command.options.flatMap(({ long, short }) => [long, short]))
  const [names, ...rest] = words
  if (names === undefined) return own
  const below = command.commands.find((each) => each.name() === names[0])
  const found = below && optionsOf(below, rest)
  return found && new Set([...(command.parent === null ? own : []), ...found])
}
