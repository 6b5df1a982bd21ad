import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { goCache } from './go-cache.ts'
import { runOrThrow } from './run.ts'

/**
 * The path of a directory that a shell script has made, once per machine and release of its system.
 *
 * @param name the first part of the directory's name
 * @param script gets an empty directory as `$1`, and `args` after it
 * @param result the directory that is kept, below that one
 */
export async function fetchedOnce(
  name: string,
  script: string,
  args: readonly string[],
  result: string,
): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8')
  const key = createHash('sha256')
    .update(JSON.stringify([release, script, args]))
    .digest('hex')
    .slice(0, 16)
  const directory = join(goCache, `${name}-${key}`)
  if (existsSync(directory)) return directory
  await mkdir(goCache, { recursive: true })
  const unfinished = `${directory}.${randomUUID()}`
  try {
    await mkdir(unfinished)
    await runOrThrow('sh', ['-c', script, 'sh', unfinished, ...args], { timeout: 300_000 })
    await rename(join(unfinished, result), directory)
  } catch (error) {
    // Another process may have made it first.
    if (!existsSync(directory)) throw error
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
  return directory
}
