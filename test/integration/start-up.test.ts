import { readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { parseStrace, runOrThrow, type SystemCall, startProcess, tempDir, traceRun } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, it } from 'vitest'

/** The built files that a program loads before it does anything, by their names, with their texts. */
async function loadedAtStart(name: 'ctr' | 'dist'): Promise<Map<string, string>> {
  const main = join(import.meta.dirname, `../../packages/${name}/dist/bin/${name}.main.js`)
  const texts = new Map<string, string>()
  const pending = [main]
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (texts.has(path)) continue
    const text = await readFile(path, 'utf8')
    texts.set(path, text)
    for (const [, specifier = ''] of text.matchAll(/^(?:import|\}) ?(?:.* )?(?:from )?"(\.[^"]+)";$/gm))
      pending.push(join(dirname(path), specifier))
  }
  return texts
}

it.each(['ctr', 'dist'] as const)(
  '%s starts without native code, threads and the client of registries',
  async (name) => {
    const texts = await loadedAtStart(name)
    // More than the program's own file: what it shares with what is loaded later.
    expect(texts.size).toBeGreaterThan(1)
    for (const text of texts.values()) {
      expect(text.match(/^.* from "@nsbox\/.*$/gm) ?? []).toEqual([])
      expect(text.match(/^\/\/ .*node_modules\/undici\/.*$/m)).toBeNull()
    }
  },
)

it.each([
  'index.main',
  'nsbox-server.main',
  'worker.main',
  'tree-worker',
  'checkpoint-worker',
  'bin/supervisor',
])('a server, embedded or not, and its threads and supervisor are one file each: %s', async (name) => {
  const text = await readFile(join(import.meta.dirname, `../../packages/server/dist/${name}.js`), 'utf8')
  const imports = [...text.matchAll(/^(?:import|\}) ?(?:.* )?(?:from )?"([^"]+)";$/gm)].map(
    ([, path]) => path!,
  )
  expect(imports.length).toBeGreaterThan(0)
  // Of packages, only what has native code is loaded from elsewhere.
  expect(imports.filter((path) => !isBuiltin(path) && path !== 'better-sqlite3')).toEqual([])
})

it('Node’s own modules that a server starts with are loaded before it sets flags of V8', async () => {
  const built = join(import.meta.dirname, '../../packages/server/dist')
  const text = await readFile(join(built, 'nsbox-server.main.js'), 'utf8')
  const ofNode = [...text.matchAll(/ from "node:([^"]+)";$/gm)].map(([, name]) => name!)
  expect(ofNode).toContain('http2')
  const program = `await import(${JSON.stringify(join(built, 'v8-flags.js'))})
    console.log(JSON.stringify(process.moduleLoadList))`
  const { stdout } = await runOrThrow(process.execPath, ['--input-type=module', '--eval', program])
  const loaded: string[] = JSON.parse(stdout)
  expect(ofNode.filter((name) => !loaded.includes(`NativeModule ${name}`))).toEqual([])
})

describeWith({ programs: ['strace'] }, 'what a server opens', () => {
  const packages = join(import.meta.dirname, '../../packages')
  const program = join(packages, 'server/bin/nsbox-server.mjs')

  /** The files with code or about a package that were opened, as seen from the server's, without hashes. */
  const opened = (calls: readonly SystemCall[]) => {
    const paths = calls
      .filter(({ result }) => !result.startsWith('-'))
      .map(({ args }) => /"([^"]+)"/.exec(args)?.[1] ?? '')
      .filter((path) => path.startsWith(`${packages}/`) || /\.([cm]?js|node)$/.test(path))
    return [
      ...new Set(
        paths.map((path) =>
          relative(join(packages, 'server'), path).replace(/(-[0-9a-f]{16})?(-\d+)?\./, '.'),
        ),
      ),
    ].sort()
  }

  it.each(['--version', '--help', '-v', '-h', 'man', 'completion zsh', '__complete zsh -- --log-level t'])(
    'is nothing of the server for %s',
    async (question) => {
      const args = [program, ...question.split(' ')]
      const { code, stdout, calls } = await traceRun(['open', 'openat'], process.execPath, args)
      expect([code, stdout === '']).toEqual([0, false])
      expect(opened(calls)).toEqual([
        'bin/nsbox-server.mjs',
        'dist/nsbox-server-help.js',
        'dist/revision.json',
        'package.json',
      ])
    },
  )

  it('is one file of ours for a start, and what is native in SQLite', async () => {
    await using directory = await tempDir('nsbox-start-up')
    const file = join(directory.path, 'calls')
    const strace = ['--follow-forks', '--trace=open,openat', `--output=${file}`, '--', process.execPath]
    const places = ['root', 'state'].flatMap((name) => [`--${name}`, join(directory.path, name)])
    await using traced = await startProcess('strace', [...strace, program, ...places], { ready: /serving/ })
    const { pid } = JSON.parse(/^\{.*"serving".*$/m.exec(traced.output)![0]) as { pid: number }
    const calls = await readFile(file, 'utf8')
    process.kill(pid, 'SIGTERM')
    await traced.exited
    // Whole lines: strace writes the beginning of a call before its result is known.
    const paths = opened(parseStrace(calls.slice(0, calls.lastIndexOf('\n'))))
    // The program, by its compiled form where there is one for this Node, and the supervisor's.
    const own = ['bin/nsbox-server.mjs', 'dist/v8-flags.js', 'dist/bin/supervisor.js', 'dist/nsbox-server.js']
    const forms = ['dist/nsbox-server.cache', 'dist/nsbox-server.cjs', 'dist/nsbox-server.main.js']
    expect(paths.filter((path) => !path.includes('node_modules'))).toEqual(
      paths.filter((path) => [...own, ...forms, 'package.json', 'dist/revision.json'].includes(path)),
    )
    // better-sqlite3 and koffi, which stay outside.
    expect(paths.length).toBeLessThanOrEqual(32)
  })
})
