import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory for one test, removed with its content when it is disposed of. */
export interface TempDir extends AsyncDisposable {
  readonly path: string
}

/**
 * Makes an empty directory with mode 0700 below the system's temporary directory.
 *
 * @param prefix of the directory's name, by which remains of a broken test can be recognised
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
