import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { command } from './setup/command.mjs'

/** The packages whose programs print a manual page, by the names of both. */
export const withManual = ['ctr', 'dist']

/**
 * Writes the manual page of a program that has been built, as the program prints it, to where its package has it.
 *
 * @param {string} directory of the package
 * @param {string} name of the program
 * @returns the file's name, as seen from the package
 */
export async function writeManual(directory, name) {
  const file = `dist/man/${name}.1`
  const program = join(directory, `bin/${name}.mjs`)
  const { code, output } = await command(process.execPath, [program, 'man'], {
    minutes: 2,
    output: 'collect',
  })
  if (code !== 0) throw new Error(`${name} man: ${output}`)
  mkdirSync(dirname(join(directory, file)), { recursive: true })
  writeFileSync(join(directory, file), output)
  return file
}
