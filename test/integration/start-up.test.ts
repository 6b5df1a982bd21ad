import { readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { dirname, join } from 'node:path'
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

it.each(['index', 'nsbox-server.main', 'worker.main', 'tree-worker', 'checkpoint-worker', 'bin/supervisor'])(
  'a server, embedded or not, and its threads and supervisor are one file each: %s',
  async (name) => {
    const text = await readFile(join(import.meta.dirname, `../../packages/server/dist/${name}.js`), 'utf8')
    const imports = [...text.matchAll(/^(?:import|\}) ?(?:.* )?(?:from )?"([^"]+)";$/gm)].map(
      ([, path]) => path!,
    )
    expect(imports.length).toBeGreaterThan(0)
    // Of packages, only what has native code is loaded from elsewhere.
    expect(imports.filter((path) => !isBuiltin(path) && path !== 'better-sqlite3')).toEqual([])
  },
)
