import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * @typedef {object} Made names of files, as seen from the package
 * @property {string[]} inputs what others were made of
 * @property {string[]} outputs what was made
 */

/**
 * Makes files of a package if what they were made of is not what it was, or if they are not what was made: the compiler
 * may have written modules over them. What it was stands in `dist/.build`.
 *
 * @param {object} what
 * @param {string} what.directory of the package
 * @param {string} what.kind of files, by which the record is called
 * @param {string} what.setting all else that decides what is made
 * @param {() => Promise<Made>} make
 */
export async function unlessFresh({ directory, kind, setting }, make) {
  const record = join(directory, `dist/.build/${kind}.json`)
  /** @param {Made} made */
  const state = ({ inputs, outputs }) => {
    const files = [...inputs, ...outputs].map((path) => join(directory, path))
    return hashOf(files, setting)
  }
  if (existsSync(record)) {
    const { made, was } = JSON.parse(readFileSync(record, 'utf8'))
    if (state(made) === was) return
  }
  const made = await make()
  mkdirSync(dirname(record), { recursive: true })
  writeFileSync(record, JSON.stringify({ made, was: state(made) }))
}

/**
 * @param {readonly string[]} files which need not be there
 * @param {string} [before] what is hashed before them
 */
export function hashOf(files, before = '') {
  const hash = createHash('sha256').update(before)
  for (const file of files) {
    hash.update(`\0${file}\0`)
    if (existsSync(file)) hash.update(readFileSync(file))
  }
  return hash.digest('hex')
}
