import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { command, root } from './setup/command.mjs'

/**
 * @typedef {object} Step something that passes with exit code 0
 * @property {string} name
 * @property {() => Promise<{ code: number, output: string }>} run
 */

/**
 * A step that runs a program which an installed package brings along.
 *
 * @param {string} name of the step
 * @param {string} program
 * @param {string[]} args
 * @returns {Step}
 */
export const tool = (name, program, ...args) => step(name, join(root, 'node_modules/.bin', program), args)

/**
 * A step that runs a script by Node.
 *
 * @param {string} name of the step
 * @param {string[]} args
 * @returns {Step}
 */
export const script = (name, ...args) => step(name, process.execPath, args)

/** @param {string} name @param {string} program @param {string[]} args @returns {Step} */
function step(name, program, args) {
  return { name, run: () => command(program, args, { minutes: 40, output: 'collect' }) }
}

/**
 * Runs all steps, as many at once as there are processors, whatever becomes of others, and prints what each came to and
 * what a failed one said.
 *
 * @param {readonly Step[]} steps
 * @returns {Promise<string[]>} the names of those that failed
 */
export async function runSteps(steps) {
  /** @type {string[]} */
  const failed = []
  const left = steps.values()
  const work = async () => {
    for (const { name, run } of left) {
      const { code, output } = await run()
      console.log(`${code === 0 ? 'passed' : 'FAILED'}: ${name}`)
      if (code === 0) continue
      console.log(output)
      failed.push(name)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return failed
}
