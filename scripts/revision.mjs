// Writes down which revision a package was built from, for those who have only the package:
//   node ../../scripts/revision.mjs dist/revision.json
// Run in the package's directory, after its build. It is the commit, with `.m` behind it if there are changes to it, as
// containerd writes it; where this is no checkout, the hash of what was built.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const [outfile] = process.argv.slice(2)
if (!outfile) throw new Error('usage: revision.mjs OUTFILE')
writeFileSync(outfile, `${JSON.stringify({ revision: commit() ?? buildHash(dirname(outfile)) })}\n`)

/** The commit, unless there is none or the package is not in it, but only unpacked in somebody's checkout. */
function commit() {
  if (git('ls-files', '--error-unmatch', 'package.json') === undefined) return undefined
  const head = git('rev-parse', '--verify', 'HEAD')
  if (head === undefined) return undefined
  return git('status', '--porcelain', '--untracked-files=no') === '' ? head : `${head}.m`
}

/** @param {readonly string[]} args @returns what it says, undefined if it fails or is not there */
function git(...args) {
  const { status, stdout } = spawnSync('git', args, { encoding: 'utf8', timeout: 60_000, maxBuffer: 1 << 26 })
  return status === 0 ? stdout.trim() : undefined
}

/** @param {string} directory */
function buildHash(directory) {
  const hash = createHash('sha256')
  const names = readdirSync(directory, { encoding: 'utf8', recursive: true }).filter((name) =>
    name.endsWith('.js'),
  )
  for (const path of names.sort())
    hash
      .update(`${path}\0`)
      .update(readFileSync(`${directory}/${path}`))
      .update('\0')
  return hash.digest('hex').slice(0, 40)
}
