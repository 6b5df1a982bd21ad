import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { command } from './setup/command.mjs'

/**
 * @typedef {object} Manual the manual page of a program
 * @property {string} program
 * @property {1 | 8} section of the manual
 */

/**
 * The manual pages of programs, by the names of their packages.
 *
 * @type {Readonly<Record<string, Manual>>}
 */
export const manuals = {
  ctr: { program: 'ctr', section: 1 },
  dist: { program: 'dist', section: 1 },
  server: { program: 'nsbox-server', section: 8 },
}

/**
 * Writes the manual page of a program that has been built, as the program prints it, to where its package has it.
 *
 * @param {string} directory of the package
 * @param {Manual} manual
 * @returns the file's name, as seen from the package
 */
export async function writeManual(directory, { program, section }) {
  const file = `dist/man/${program}.${section}`
  const built = join(directory, `bin/${program}.mjs`)
  const { code, output } = await command(process.execPath, [built, 'man'], {
    minutes: 2,
    output: 'collect',
  })
  if (code !== 0) throw new Error(`${program} man: ${output}`)
  mkdirSync(dirname(join(directory, file)), { recursive: true })
  writeFileSync(join(directory, file), output)
  return file
}
