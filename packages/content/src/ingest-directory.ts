import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { IngestStatus } from '@nsbox/core/content'
import { isErrno } from '@nsbox/errors'
import { type Digest, isDigest } from '@nsbox/oci'
import { ingestName } from './layout.ts'
import { replaceFile } from './replace-file.ts'

/**
 * An ingest is a directory that is named after the hash of its ref, with these files of text and one of bytes:
 *
 *     data        what was written so far
 *     startedat   when it was first opened (RFC 3339)
 *     updatedat   when its last writer was closed; older than `data` if that writer was killed
 *     total       how many bytes there will be, if that is known
 *     expected    the digest that they will have, if that is known
 *     ref         its name; written last, so that a directory without it is not an ingest
 *
 * None of them is synced: a power cut may cost an ingest, never a blob, since the bytes are hashed before a commit.
 */
export const dataFile = 'data'

/** What an ingest is opened with. */
export interface Expectation {
  readonly total?: number | undefined
  readonly expected?: Digest | undefined
}

/** Makes a new ingest, in place of what is left of an unfinished one. */
export async function createIngest(
  directory: string,
  ref: string,
  { total, expected, now }: Expectation & { now: number },
): Promise<IngestStatus> {
  await makeEmpty(directory)
  const at = new Date(now)
  try {
    await create(directory, dataFile, '')
    await create(directory, 'startedat', at.toISOString())
    await create(directory, 'updatedat', at.toISOString())
    if (total !== undefined) await create(directory, 'total', String(total))
    if (expected !== undefined) await create(directory, 'expected', expected)
    await create(directory, 'ref', ref)
  } catch (error) {
    await removeIngest(directory)
    throw error
  }
  return { ref, offset: 0, total: total ?? 0, expected, startedAt: at, updatedAt: at }
}

/** Removes an ingest, finished or not, with all its bytes. */
export async function removeIngest(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true })
}

async function makeEmpty(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: 0o700 })
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
    await removeIngest(directory)
    await mkdir(directory, { mode: 0o700 })
  }
}

async function create(directory: string, name: string, content: string): Promise<void> {
  await writeFile(join(directory, name), content, { flag: 'wx', mode: 0o600 })
}

/** The ingest in a directory as the last writer left it; `undefined` if there is none, or an unfinished one. */
export async function readIngest(directory: string): Promise<IngestStatus | undefined> {
  try {
    const ref = await readFile(join(directory, 'ref'), 'utf8')
    if (ingestName(ref) !== basename(directory)) return undefined
    const data = await stat(join(directory, dataFile))
    const startedAt = Date.parse(await readFile(join(directory, 'startedat'), 'utf8'))
    const total = Number((await readIfPresent(join(directory, 'total'))) ?? 0)
    const expected = await readIfPresent(join(directory, 'expected'))
    if (Number.isNaN(startedAt) || !Number.isSafeInteger(total)) return undefined
    if (expected !== undefined && !isDigest(expected)) return undefined
    // A full disk may have left it empty; the time of the data is as good then.
    const closedAt = Date.parse((await readIfPresent(join(directory, 'updatedat'))) ?? '') || 0
    return {
      ref,
      offset: data.size,
      total,
      expected,
      startedAt: new Date(startedAt),
      updatedAt: new Date(Math.max(startedAt, closedAt, Math.floor(data.mtimeMs))),
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined
    throw error
  }
}

/** Adds to an ingest what was not known of it before. */
export async function recordExpectation(directory: string, { total, expected }: Expectation): Promise<void> {
  if (total !== undefined) await replaceFile(join(directory, 'total'), String(total), 'relaxed')
  if (expected !== undefined) await replaceFile(join(directory, 'expected'), expected, 'relaxed')
}

/** Notes when an ingest was last written to. */
export async function recordUpdate(directory: string, at: Date): Promise<void> {
  await writeFile(join(directory, 'updatedat'), at.toISOString(), { mode: 0o600 })
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
