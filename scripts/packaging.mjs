// Checks that what would be published of each package is whole: every entry of its manifest is there, and of the form
// that it says. Prints what is wrong and fails if there is anything.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { command, root } from './setup/command.mjs'

const published = readdirSync(join(root, 'packages'))
  .map((name) => `./packages/${name}`)
  .filter((path) => !JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')).private)
const pack = ['pack', '--dry-run', '--json', '--ignore-scripts', ...published]
const { code, output } = await command('npm', pack, {
  minutes: 5,
  output: 'collect',
  env: { npm_config_loglevel: 'error' },
})
if (code !== 0) throw new Error(`npm pack ended with exit code ${code}: ${output}`)

/** @type {{ name: string, files: { path: string }[] }[]} */
const packed = JSON.parse(output)
for (const [index, { name, files }] of packed.entries()) {
  const directory = join(root, /** @type {string} */ (published[index]))
  const inside = files.map(({ path }) => ({
    name: `package/${path}`,
    data: readFileSync(join(directory, path)),
  }))
  if (name === '@nsbox/server' && !files.some(({ path }) => path === 'dist/revision.json')) {
    console.log(`${name}: does not tell its revision; it has to be built`)
    process.exitCode = 1
  }
  const { messages, pkg } = await publint({ pkgDir: 'package', strict: true, pack: { files: inside } })
  for (const message of messages) console.log(`${name}: ${formatMessage(message, pkg)}`)
  if (messages.length > 0) process.exitCode = 1
}
