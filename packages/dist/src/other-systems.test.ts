import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  buildImage,
  bundleSources,
  filesLayer,
  pushImage,
  type Registry,
  runOrThrow,
  startRegistry,
  type TempDir,
  tar,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, beforeAll, expect, it } from 'vitest'

/** Runs commands one after the other, and prints how each of them ended. */
const source = `
import { distProgram } from '../program.ts'
const outcomes = []
for (const command of JSON.parse(process.argv[2])) {
  try {
    await distProgram().parseAsync(command, { from: 'user' })
    outcomes.push('done')
  } catch (error) {
    outcomes.push(error.code ?? error.stack)
  }
}
process.stdout.write('\\n' + JSON.stringify(outcomes))
`

// System calls that Linux alone has are refused there by the name of the system, before anything is called.
describeWith(
  { linux: true, programs: ['docker-registry', 'skopeo'] },
  'systems without the calls of Linux',
  () => {
    let directory: TempDir
    let registry: Registry
    let program: string
    let reference: string

    beforeAll(async () => {
      directory = await tempDir('nsbox-other-systems')
      registry = await startRegistry()
      const layers = [filesLayer({ 'greeting.txt': 'hello\n' })]
      const image = await buildImage(join(directory.path, 'layout'), { layers })
      reference = (await pushImage(image, registry, 'library/tiny:1')).reference
      await mkdir(join(directory.path, 'tree'))
      await writeFile(join(directory.path, 'tree/file'), 'content')
      await writeFile(join(directory.path, 'tree.tar'), tar([{ name: 'file', content: 'content' }]))
      program = await bundleSources(source, join(import.meta.dirname, 'bin'), directory.path)
    })
    afterAll(async () => {
      await registry?.[Symbol.asyncDispose]()
      await directory?.[Symbol.asyncDispose]()
    })

    it.each(['darwin', 'freebsd'])(
      'on %s commands work, or say that they are not implemented',
      async (platform) => {
        const at = (name: string) => join(directory.path, `${platform}-${name}`)
        const root = ['--root', at('root')]
        const pushed = `${registry.host}/pushed:1`
        const commands: [command: string[], outcome: string][] = [
          [['pull', '--no-unpack', reference], 'done'],
          [['pull', reference], 'done'],
          [['pull', '--local', '--no-unpack', reference], 'done'],
          [['fetch', reference], 'done'],
          [['images', 'ls'], 'done'],
          [['push', pushed, reference], 'done'],
          [['push', '--local', pushed, reference], 'done'],
          [['images', 'export', at('archive.tar'), reference], 'done'],
          [['images', 'export', `${at('layout')}/`, reference], 'done'],
          [['images', 'import', '--no-unpack', at('archive.tar')], 'done'],
          [['images', 'import', '--no-unpack', at('layout')], 'done'],
          [['images', 'from-rootfs', join(directory.path, 'tree'), 'example.com/tree:1'], 'unimplemented'],
          [['images', 'from-rootfs', join(directory.path, 'tree.tar'), 'example.com/tar:1'], 'done'],
          [['images', 'rm', '--sync', reference], 'done'],
          [['apply', at('tree')], 'unimplemented'],
        ]
        const asked = JSON.stringify(commands.map(([command]) => [...root, ...command]))
        // Before any module looks at it, but after the one for calls, which picks its native code by it.
        const sys = fileURLToPath(import.meta.resolve('@nsbox/sys'))
        const early = `import { createRequire } from 'node:module'
        createRequire(${JSON.stringify(sys)})('koffi').load(null)
        Object.defineProperty(process, 'platform', { value: '${platform}' })`
        const imported = ['--import', `data:text/javascript,${encodeURIComponent(early)}`]
        const { stdout } = await runOrThrow(process.execPath, [...imported, program, asked], { input: '' })
        const outcomes: string[] = JSON.parse(stdout.slice(stdout.lastIndexOf('\n') + 1))
        expect(commands.map(([command], n) => [command, outcomes[n]])).toEqual(commands)
        expect((await readFile(at('archive.tar'))).includes('manifest.json')).toBe(true)
      },
    )
  },
)
