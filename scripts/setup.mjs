// Makes a fresh clone ready for use and for tests. It can be run any number of times: what is done is not done
// again. Needs nothing but Node 20.19 or later.
import { pathToFileURL } from 'node:url'
import { installSystemPackages } from './setup/system-packages.mjs'
import { makeTestUser } from './setup/test-user.mjs'
import { installAndBuild } from './setup/workspace.mjs'

export async function setUp() {
  await installSystemPackages()
  await makeTestUser()
  await installAndBuild()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await setUp()
  } catch (error) {
    console.error(`setup: ${error instanceof Error ? error.message : error}`)
    process.exitCode = 1
  }
}
