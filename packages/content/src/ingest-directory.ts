import { mkdirSync, rmdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { IngestStatus } from '@nsbox/core/content'
import { isErrno } from '@nsbox/errors'
import { type Digest, isDigest } from '@nsbox/oci'
import { Timestamp } from '@nsbox/time'
import * as v from 'valibot'
import { ingestName } from './layout.ts'
import { replaceFile } from './replace-file.ts'

/**
 * An ingest is a directory named after the hash of its ref, with two files:
 *
 *     data         what was written so far
 *     about.json   its status (`About`); made last, so that a directory without it is no ingest
 *
 * Neither is synced: a power cut may cost an ingest, but never a blob, since bytes are hashed before a commit. More
 * files, or asynchronous calls for each name, would take longer than the bytes of an image of many small layers.
 */
export const dataFile = 'data'
const aboutFile = 'about.json'

/** What an ingest is opened with. */
export interface Expectation {
  readonly total?: number | undefined
  readonly expected?: Digest | undefined
}

/** The year 9999: later numbers are no times. */
const lastTime = Date.UTC(9999, 0)

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const time = v.pipe(v.number(), v.minValue(0), v.maxValue(lastTime))

/** The status of an ingest; times are in milliseconds since the epoch, possibly with a fraction. */
const aboutSchema = v.object({
  ref: v.string(),
  /** When it was first opened. */
  startedAt: time,
  /** When its last writer was closed; older than `data` if that writer was killed. */
  updatedAt: time,
  /** How many bytes there will be; 0 if that is not known. */
  total: count,
  /** The digest that they will have, if that is known. */
  expected: v.optional(v.custom<Digest>(isDigest)),
})

type About = v.InferOutput<typeof aboutSchema>

/** Makes a new ingest, replacing one that was not made in full. @returns also its data, open for the writer */
export async function createIngest(
  directory: string,
  ref: string,
  { total, expected, now }: Expectation & { now: Timestamp },
): Promise<{ readonly status: IngestStatus; readonly handle: FileHandle }> {
  await makeEmpty(directory)
  const status = { ref, offset: 0, total: total ?? 0, expected, startedAt: now, updatedAt: now }
  let handle: FileHandle | undefined
  try {
    handle = await open(join(directory, dataFile), 'wx+', 0o600)
    writeFileSync(join(directory, aboutFile), textOf(status), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    await handle?.close()
    await removeIngest(directory)
    throw error
  }
  return { status, handle }
}

/** Removes an ingest, finished or not, with all its bytes. */
export async function removeIngest(directory: string): Promise<void> {
  try {
    // The rest after a commit has renamed the data.
    unlinkSync(join(directory, aboutFile))
    rmdirSync(directory)
  } catch {
    await rm(directory, { recursive: true, force: true })
  }
}

async function makeEmpty(directory: string): Promise<void> {
  try {
    mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
    await removeIngest(directory)
    mkdirSync(directory, { mode: 0o700 })
  }
}

/** The ingest in a directory as the last writer left it; `undefined` if there is none, or an unfinished one. */
export async function readIngest(directory: string): Promise<IngestStatus | undefined> {
  if (statSync(directory, { throwIfNoEntry: false }) === undefined) return undefined
  try {
    const about = parseAbout(await readFile(join(directory, aboutFile), 'utf8'))
    if (about === undefined || ingestName(about.ref) !== basename(directory)) return undefined
    const data = await stat(join(directory, dataFile))
    return {
      ref: about.ref,
      offset: data.size,
      total: about.total,
      expected: about.expected,
      startedAt: Timestamp.fromEpochMilliseconds(about.startedAt),
      updatedAt: Timestamp.fromEpochMilliseconds(Math.max(about.startedAt, about.updatedAt, data.mtimeMs)),
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined
    throw error
  }
}

/** Records what is expected of an ingest, and when it was last written to. */
export async function recordStatus(directory: string, status: IngestStatus): Promise<void> {
  await replaceFile(join(directory, aboutFile), textOf(status), 'relaxed')
}

function textOf({ ref, startedAt, updatedAt, total, expected }: IngestStatus): string {
  const about: About = {
    ref,
    startedAt: startedAt.epochMicroseconds / 1000,
    updatedAt: updatedAt.epochMicroseconds / 1000,
    total,
    expected,
  }
  return JSON.stringify(about)
}

/** @returns undefined for a file that is incomplete, as after a full disk or a power cut */
function parseAbout(text: string): About | undefined {
  try {
    return v.parse(aboutSchema, JSON.parse(text), { abortEarly: true })
  } catch {
    return undefined
  }
}
