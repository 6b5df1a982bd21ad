import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory of one test's own, removed with all that is in it when it is disposed of. */
export interface TempDir extends AsyncDisposable {
  readonly path: string
}

/**
 * Makes an empty directory with mode 0700 below the system's temporary directory.
 *
 * @param prefix starts the directory's name, so that what a broken test left behind can be told
 */
export async function tempDir(prefix = 'nsbox-test'): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), `${prefix}-`))
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
