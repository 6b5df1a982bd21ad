// Sets up what is missing, then does the main job for real: see main-job.ts.
import { join } from 'node:path'
import { command, root } from './setup/command.mjs'
import { setUp } from './setup.mjs'

await setUp()
const { code } = await command(
  process.execPath,
  ['--conditions=@nsbox/source', '--import', 'tsx', join(root, 'scripts/main-job.ts')],
  { minutes: 10 },
)
process.exitCode = code ?? 1
