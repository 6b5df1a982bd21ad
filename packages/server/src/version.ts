import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isErrno } from '@nsbox/errors'

const require = createRequire(import.meta.url)

/** The version of this package. */
export const version: string = require('@nsbox/server/package.json').version

/** What this package was built from: a commit, or a hash of its code; empty where its sources run without a build. */
export const revision: string = readRevision()

function readRevision(): string {
  // By the package's own name, so that bundled and unbundled code find the same file.
  const path = require.resolve('@nsbox/server/package.json').replace(/package\.json$/, 'dist/revision.json')
  try {
    return JSON.parse(readFileSync(path, 'utf8')).revision
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw error
  }
}
