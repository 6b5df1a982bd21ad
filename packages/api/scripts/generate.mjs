// Generates src/gen from proto/ with buf and protoc-gen-es; needs no network.
//
//   node scripts/generate.mjs           writes src/gen
//   node scripts/generate.mjs --check   fails if src/gen differs, or if buf's lint or formatter complains

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const path = `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`

/** Runs buf in the package; ends this process with its status if it fails. */
function buf(...args) {
  const { status, error } = spawnSync('buf', args, {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdio: 'inherit',
    timeout: 120_000,
  })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

/** Every file below a directory, by its path relative to it. */
function filesBelow(directory) {
  return new Map(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file.slice(directory.length + 1), readFileSync(file, 'utf8')]),
  )
}

function check() {
  buf('lint')
  buf('format', '--diff', '--exit-code')
  const scratch = mkdtempSync(join(tmpdir(), 'nsbox-api-generate-'))
  process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
  buf('generate', '--output', scratch)
  const committed = filesBelow(join(root, 'src/gen'))
  const expected = filesBelow(join(scratch, 'src/gen'))
  const differing = [...new Set([...committed.keys(), ...expected.keys()])]
    .filter((file) => committed.get(file) !== expected.get(file))
    .sort()
  if (differing.length === 0) return
  console.error('src/gen is not what proto/ generates; run `pnpm --filter @nsbox/api generate`:')
  for (const file of differing) {
    const state = !committed.has(file) ? 'missing' : !expected.has(file) ? 'left over' : 'differs'
    console.error(`  src/gen/${file}: ${state}`)
  }
  process.exit(1)
}

const [flag, ...rest] = process.argv.slice(2)
if (rest.length > 0 || (flag !== undefined && flag !== '--check')) {
  console.error('usage: generate.mjs [--check]')
  process.exit(2)
}
if (flag === '--check') check()
else buf('generate')
