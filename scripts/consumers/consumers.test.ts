import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
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
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { transform } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lightPackages } from '../check-deps/floors.ts'
import { packPackages, publicDirectories } from '../release/pack-packages.ts'
import { root } from '../setup/command.mjs'
import {
  closure,
  hasNativeCode,
  type InstalledPackage,
  installIsolated,
  linkPackages,
} from './isolated-projects.ts'
import { startNpmRegistry } from './npm-registry.ts'
import { type Example, readReadme } from './readme-examples.ts'

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
const readmes = new Map(directories.map((directory) => [directory, readReadme(directory)]))
const resources = new AsyncDisposableStack()
let directory: string
let installed: ReadonlyMap<string, InstalledPackage>

const projectOf = (name: string) => join(directory, 'projects', name)

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsbox-consumers-'))
  resources.defer(() => rm(directory, { recursive: true, force: true }))
  const packed = await packPackages(directory)
  await using registry = await startNpmRegistry(packed)
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

/**
 * Compiles the programs of all projects, those at once that need the same: what they share is then read once.
 *
 * @param options that say how modules are found
 */
async function compile(options: { module: string; moduleResolution: string }): Promise<string> {
  // The types of Connect name some that only browsers' have.
  const ofConnect = directories.filter((name) => readmes.get(name)?.install.includes('@connectrpc/connect'))
  const others = directories.filter((name) => !ofConnect.includes(name))
  return `${await compileTogether(others, [], options)}${await compileTogether(ofConnect, ['dom'], options)}`
}

async function compileTogether(projects: readonly string[], lib: readonly string[], options: object) {
  const config = join(directory, 'tsconfig.json')
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable', ...lib],
    strict: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [join(directory, 'types')],
    ...options,
  }
  const include = projects.map((name) => `projects/${name}/*.ts`)
  await writeFile(config, JSON.stringify({ compilerOptions, include }))
  const tsc = join(root, 'node_modules/.bin/tsc')
  const { code, stdout, stderr } = await run(tsc, ['-p', config], { cwd: directory, timeout: 300_000 })
  return code === 0 ? '' : stdout + stderr
}

it('what would be published is whole, and has nothing that serves only in the repository', async () => {
  const args = ['--import', 'tsx', 'scripts/packaging.ts', directory]
  const { code, stdout, stderr } = await run(process.execPath, args, { cwd: root, timeout: 300_000 })
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' })
})

describe('strict programs in TypeScript', () => {
  it.each([
    { module: 'esnext', moduleResolution: 'bundler' },
    { module: 'node16', moduleResolution: 'node16' },
  ])('compile with modules by $moduleResolution', async (options) => {
    expect(await compile(options)).toBe('')
  })
})

describe.each(directories)('@nsbox/%s', (name) => {
  const { install, examples } = readmes.get(name)!

  it('is installed by what its README says', () => {
    expect(install).toContain(`@nsbox/${name}`)
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
        runExample(name, `example-${index}.js`, example),
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

/** Without what pnpm's launchers let `require` find. */
const alone = { NODE_PATH: undefined }

/** Runs an example in its project. */
async function runExample(name: string, file: string, { output }: Example): Promise<void> {
  const cwd = projectOf(name)
  const env: Record<string, string | undefined> = { ...alone, TMPDIR: directory }
  if (name === 'images' || name === 'registry') env.IMAGE = await pushedImage()
  if (name === 'client') env.CONTAINERD_ADDRESS = await installedServer()
  // Suites are run by vitest, which looks for files of tests.
  const suite = file.replace('.', '.test.')
  if (name === 'compliance') await rename(join(cwd, file), join(cwd, suite))
  const args = name === 'compliance' ? ['node_modules/vitest/vitest.mjs', 'run', suite] : [file]
  const { stdout } = await runOrThrow(process.execPath, args, { cwd, env, timeout: 120_000 })
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
