// Runs commands of our `ctr` and `dist` one after the other, for tests that are about what a command says and does and
// not about its process: most of the time of a short command goes into the start of Node. The parent sends one request
// at a time and gets one answer each.
import { Readable, Writable } from 'node:stream'
import { ctrProgram, runProgram } from '@nsbox/ctr'
import { distProgram } from '@nsbox/dist'

const programs = { ctr: ctrProgram, dist: distProgram }
const environment = { ...process.env }
const directory = process.cwd()

/** @typedef {import('./command-host.ts').CommandRequest} CommandRequest */

process.on('message', async (/** @type {CommandRequest} */ request) => {
  const stdout = collector()
  const stderr = collector()
  const standard = { stdin: Readable.from(request.input ? [Buffer.from(request.input)] : []), stdout, stderr }
  for (const [name, value] of Object.entries(standard))
    Object.defineProperty(process, name, { value, configurable: true })
  process.env = { ...environment, ...request.env }
  for (const [name, value] of Object.entries(request.env ?? {}))
    if (value === undefined) delete process.env[name]
  process.chdir(request.cwd ?? directory)
  process.exitCode = undefined
  await runProgram(programs[request.program](), ['node', request.program, ...request.args])
  // A program adds it once, since a process has one.
  process.removeAllListeners('exit')
  const code = process.exitCode ?? 0
  process.send({ code, stdout: stdout.bytes(), stderr: stderr.bytes() })
})
process.once('disconnect', () => process.exit())

/** What is written to it, as bytes. */
function collector() {
  /** @type {Buffer[]} */
  const chunks = []
  const writable = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  return Object.assign(writable, { bytes: () => Buffer.concat(chunks) })
}
