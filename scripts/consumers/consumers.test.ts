import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  buildImage,
  busyboxArchive,
  filesLayer,
  type Needs,
  needs,
  pushImage,
  removeCgroup,
  run,
  runOrThrow,
  startProcess,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { transform } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { followDocument } from '../../test/integration/documents/follow-document.ts'
import { followedDocuments } from '../../test/integration/documents/followed-documents.ts'
import { openReader, readerNeeds } from '../../test/integration/documents/reader.ts'
import { useRegistries } from '../../test/integration/documents/use-registries.ts'
import { testUser } from '../../test/integration/ordinary-user.ts'
import { lightPackages } from '../check-deps/floors.ts'
import { fetchNode } from '../fetch-node.mjs'
import { type PackedPackage, packPackages, publicDirectories } from '../release/pack-packages.ts'
import { root } from '../setup/command.mjs'
import { bareUser } from './bare-user.ts'
import { type Compiling, compileProjects } from './compile-projects.ts'
import {
  closure,
  hasNativeCode,
  type InstalledPackage,
  installIsolated,
  linkPackages,
} from './isolated-projects.ts'
import { startNpmRegistry } from './npm-registry.ts'
import { type Example, type Readme, readReadme } from './readme-examples.ts'

/** What the examples of some packages need of the host. */
const exampleNeeds: Readonly<Record<string, Needs>> = {
  bundle: { linux: true },
  client: { linux: true, root: true, programs: ['busybox', 'ctr', 'runc'] },
  images: { programs: ['docker-registry', 'skopeo'] },
  mount: { linux: true, root: true },
  registry: { programs: ['docker-registry', 'skopeo'] },
  'runtime-runc': { linux: true, root: true, programs: ['runc'] },
  'runtime-shim': { linux: true, root: true },
  snapshots: { linux: true, root: true },
  supervisor: { linux: true },
  trees: { linux: true },
}

const directories = publicDirectories()
const readmes = new Map(directories.map((name) => [name, readme(name)]))

/** What the README of a package says; what that of the repository does is to be tried where the client is installed. */
function readme(name: string): Readme {
  const its = readReadme(join('packages', name))
  if (name !== 'client') return its
  const all = readReadme('.')
  return {
    ...its,
    examples: [...its.examples, ...all.examples],
    others: [...its.others, ...all.others],
  }
}

const resources = new AsyncDisposableStack()
let directory: string
let packed: readonly PackedPackage[]
let installed: ReadonlyMap<string, InstalledPackage>

const projectOf = (name: string) => join(directory, 'projects', name)

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsbox-consumers-'))
  resources.defer(() => rm(directory, { recursive: true, force: true }))
  packed = await packPackages(directory)
  await using registry = await startNpmRegistry(packed, { compiled: true })
  const named = [...readmes.values()].flatMap(({ install }) => install)
  const wanted = new Set([...packed.map(({ name }) => name), ...named, '@types/node'])
  installed = await installIsolated(directory, [...wanted], registry.url)
  await linkPackages(join(directory, 'types'), new Map([['node', packageNamed('@types/node')]]))
  for (const [name, { install, examples }] of readmes) await writeProject(name, install, examples)
}, 300_000)

afterAll(() => resources.disposeAsync())

/** A project that has installed what the README of a package says, and types of Node's modules. */
async function writeProject(name: string, install: readonly string[], examples: readonly Example[]) {
  const project = projectOf(name)
  await mkdir(project, { recursive: true })
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }')
  const dependencies = [...install, '@types/node'].map((each) => [each, packageNamed(each)] as const)
  await linkPackages(join(project, 'node_modules'), new Map(dependencies))
  const entries = entriesOf(packageNamed(`@nsbox/${name}`))
  const imports = entries.map(
    (entry, index) => `import * as entry${index} from '${entry}'\nvoid entry${index}\n`,
  )
  await writeFile(join(project, 'entries.ts'), imports.join(''))
  for (const [index, { typescript, javascript }] of examples.entries()) {
    await writeFile(join(project, `example-${index}.ts`), typescript)
    const { code } = await transform(javascript, { loader: 'ts', target: 'esnext' })
    await writeFile(join(project, `example-${index}.mjs`), code)
  }
}

function packageNamed(name: string): InstalledPackage {
  const found = installed.get(name)
  if (found === undefined) throw new Error(`${name} has not been installed`)
  return found
}

/** What can be imported of a package, but for patterns. */
function entriesOf({ manifest }: InstalledPackage): string[] {
  return Object.keys(manifest.exports ?? {})
    .filter((entry) => !/\*|\.json$/.test(entry))
    .map((entry) => `${manifest.name}${entry.slice(1)}`)
}

/** Compiles the programs of projects. */
function compile(names: readonly string[], how: Compiling): Promise<string> {
  // The types of Connect name some that only browsers have.
  const usesDom = (name: string) => readmes.get(name)?.install.includes('@connectrpc/connect') ?? false
  return compileProjects(
    directory,
    names.map((name) => ({ name, usesDom: usesDom(name) })),
    how,
  )
}

it('what would be published is whole, and has nothing that serves only in the repository', async () => {
  const args = ['--import', 'tsx', 'scripts/packaging.ts', directory]
  const { code, stdout, stderr } = await run(process.execPath, args, { cwd: root, timeout: 300_000 })
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' })
}, 300_000)

let compiling: Promise<string> | undefined

/** Compiles all programs, which can be run after it, unless that has been done. */
const compiled = () => (compiling ??= compile(directories, { compiler: 'typescript', modules: 'node16' }))

describe('strict programs in TypeScript', () => {
  it('compile with modules by bundler', async () => {
    expect(await compile(directories, { compiler: 'typescript', modules: 'bundler' })).toBe('')
  })

  it('compile with modules by node16', async () => {
    expect(await compiled()).toBe('')
  })

  // It is slow, so `npm test` compiles only what has failed with it before, and what that brings along.
  it('compile with TypeScript 5.9', async () => {
    const projects = process.env.NSBOX_TEST_LONG ? directories : ['snapshots']
    expect(await compile(projects, { compiler: 'typescript-5.9', modules: 'node16' })).toBe('')
  })
})

describe.each(directories)('@nsbox/%s', (name) => {
  const { install, examples, others } = readmes.get(name)!

  it('is installed by what its README says', () => {
    expect(install).toContain(`@nsbox/${name}`)
  })

  it('shows nothing that is not run', () => {
    expect(others).toEqual([])
  })

  if (name in lightPackages)
    it('brings what it may, and no native code', () => {
      const brought = [...closure(packageNamed(`@nsbox/${name}`))]
      const others = brought.map((each) => each.name).filter((each) => !each.startsWith('@nsbox/'))
      expect(lightPackages[name]).toEqual(expect.arrayContaining(others))
      expect(brought.filter(hasNativeCode).map((each) => each.name)).toEqual([])
    })

  const missing = needs(exampleNeeds[name] ?? {})
  for (const [index, example] of examples.entries()) {
    it.skipIf(missing)(`has example ${index} that works in JavaScript`, () =>
      runExample(name, `example-${index}.mjs`, example),
    )
    if (example.beside)
      it.skipIf(missing)(`has example ${index} that works as compiled`, () =>
        compiled().then(() => runExample(name, `example-${index}.js`, example)),
      )
  }
})

it('finds nothing that has not been asked for', async () => {
  const options = { cwd: projectOf('errors'), env: alone }
  const found = async (name: string) =>
    (await run(process.execPath, ['--input-type=module', '--eval', `import '${name}'`], options)).code === 0
  expect(await found('@nsbox/errors')).toBe(true)
  expect(await found('@nsbox/oci')).toBe(false)
})

/** Prints the digest of the index in an archive, which it imports. */
const importing = `
import { createReadStream } from 'node:fs'
import { openContentStore } from '@nsbox/content'
import { importImages } from '@nsbox/images'

const [, , archive, root] = process.argv
const content = await openContentStore({ root })
const images = { create: async (image) => image }
const found = await importImages(createReadStream(archive), { content, images, indexNames: () => ['all'] })
console.log(found.images.map(({ target }) => target.digest).join())
await content[Symbol.asyncDispose]()
`

it.skipIf(needs({ programs: ['zstd'] }))('images decompresses by a program without native code', async () => {
  const layout = await mkdtemp(join(directory, 'layout-'))
  await buildImage(layout, [{ layers: [filesLayer({ hello: 'world' })] }])
  const archive = `${layout}.tar.zst`
  await runOrThrow('tar', ['-c', '--zstd', '-f', archive, '-C', layout, '.'])
  const program = join(projectOf('images'), 'import.mjs')
  await writeFile(program, importing)
  const { stdout } = await runOrThrow(process.execPath, [program, archive, await mkdtemp(`${layout}-`)], {
    env: alone,
  })
  const index = createHash('sha256').update(await readFile(join(layout, 'index.json')))
  expect(stdout).toBe(`sha256:${index.digest('hex')}\n`)
})

describeWith(
  {
    linux: true,
    root: true,
    users: [testUser],
    programs: ['docker-registry', 'setpriv', 'skopeo', 'unshare'],
  },
  'an ordinary user who has nothing but Node',
  () => {
    it('pulls by npx what is unpacked, with no install script run and nothing compiled', {
      timeout: 300_000,
    }, async () => {
      await using registry = await startNpmRegistry(packed, { compiled: false })
      await using user = await bareUser(registry.url)
      const image = await pushedImage()
      const withSqlite = hasSqlite ? process.execPath : join(await fetchNode('24'), 'node')
      expect(await user.npx(withSqlite, '@nsbox/dist', 'pull', image)).toMatchObject({
        code: 0,
        signal: null,
      })
      const began = performance.now()
      const again = ['--root', join(user.home, 'again'), 'pull', image]
      const pulled = await user.npx(withSqlite, '@nsbox/dist', ...again)
      console.log(
        `npx pulls and unpacks in ${((performance.now() - began) / 1000).toFixed(1)} s once it has installed`,
      )
      expect(pulled).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^unpacked linux\/\S+ sha256:/m),
      })
      const files = await readdir(user.home, { recursive: true })
      expect(files.filter((name) => /^again\/snapshots\/.*\/fs\/hello$/.test(name))).toHaveLength(1)
      expect(files.filter((name) => /\/better-sqlite3\/(?:build$|package\.json$)/.test(name))).toEqual([
        expect.stringMatching(/\/package\.json$/),
      ])
      if (hasSqlite) return
      // A Node without SQLite of its own.
      const refused = await user.npx(process.execPath, '@nsbox/dist', ...again)
      expect(refused).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^dist: SQLite is missing, since .*\n$/),
      })
    })
  },
)

describeWith(readerNeeds, 'a newcomer', () => {
  const registries = useRegistries()

  it.each(followedDocuments.byNewcomer)(
    'follows %s word for word, with nothing installed',
    {
      timeout: 300_000,
    },
    async (path) => {
      const env = {
        npm_config_registry: 'http://127.0.0.1:4873',
        npm_config_prefix: '/opt/npm',
        npm_config_update_notifier: 'false',
        // What they would fetch or compile comes compiled.
        npm_config_ignore_scripts: 'true',
      }
      await using reader = await openReader(registries(), {
        path: ['/opt/npm/bin'],
        env,
        server: false,
        hosted: false,
      })
      const listener = await reader.host.listen(4873)
      await using _registry = await startNpmRegistry(packed, { compiled: true, listener })
      await followDocument(reader, path)
    },
  )
})

/** Whether this Node has SQLite of its own that can be used. */
const hasSqlite = isBuiltin('node:sqlite')

/** Without what pnpm's launchers let `require` find. */
const alone = { NODE_PATH: undefined }

/** Runs an example in its project. */
async function runExample(name: string, file: string, { output }: Example): Promise<void> {
  const cwd = projectOf(name)
  const env: Record<string, string | undefined> = { ...alone, TMPDIR: directory }
  if (name === 'images' || name === 'registry') env.IMAGE = await pushedImage()
  if (name === 'client') {
    env.CONTAINERD_ADDRESS = await installedServer()
    // Where that has the image.
    env.CONTAINERD_NAMESPACE = 'example'
  }
  // Suites are run by vitest, which looks for files of tests.
  const suite = file.replace('.', '.test.')
  if (name === 'compliance') await rename(join(cwd, file), join(cwd, suite))
  const args =
    name === 'compliance' ? ['node_modules/vitest/vitest.mjs', 'run', '--test-timeout=60000', suite] : [file]
  const { stdout } = await runOrThrow(process.execPath, args, { cwd, env, timeout: 300_000 })
  if (output !== undefined) expect(stdout).toBe(output)
}

let server: Promise<string> | undefined

/** The address of the server as installed, with an image that the examples of the client name. */
function installedServer(): Promise<string> {
  server ??= (async () => {
    // A short path, since it has sockets in it.
    const { path: places } = resources.use(await tempDir('nsbox'))
    const address = join(places, 'nsbox.sock')
    resources.defer(() => removeCgroup('example'))
    const program = join(packageNamed('@nsbox/server').directory, 'bin/nsbox-server.mjs')
    const directories = ['--root', join(places, 'root'), '--state', join(places, 'state')]
    const args = [program, ...directories, '--address', address]
    resources.use(
      await startProcess(process.execPath, args, { ready: /serving/, readyTimeout: 90_000, env: alone }),
    )
    const { name, path } = await busyboxArchive(places)
    const images = ['-a', address, '-n', 'example', 'images']
    await runOrThrow('ctr', [...images, 'import', path])
    await runOrThrow('ctr', [...images, 'tag', name, 'docker.io/library/busybox:latest'])
    return address
  })()
  return server
}

let image: Promise<string> | undefined

/** The reference of an image in a registry. */
function pushedImage(): Promise<string> {
  image ??= (async () => {
    const registry = resources.use(await startRegistry())
    const platform = { os: 'linux', architecture: 'amd64' }
    const spec = { layers: [filesLayer({ hello: 'world' })], platform }
    const built = await buildImage(await mkdtemp(join(directory, 'image-')), [spec])
    return (await pushImage(built, registry, 'library/busybox:latest')).reference
  })()
  return image
}
