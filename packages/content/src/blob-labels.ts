import { statSync } from 'node:fs'
import { readFile, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Durability } from '@nsbox/core/content'
import type { Labels } from '@nsbox/core/labels'
import { isErrno, NsboxError } from '@nsbox/errors'
import { Timestamp } from '@nsbox/time'
import { syncDirectory } from './durability.ts'
import { replaceFile } from './replace-file.ts'

/** The labels of a blob and when they were last changed. */
export interface LabelRecord {
  readonly updatedAt: Timestamp
  readonly labels: Labels
}

/**
 * Reads a file with labels; `undefined` if there is none.
 * @throws `data_loss` if it is not what `writeLabels` writes
 */
export async function readLabels(path: string): Promise<LabelRecord | undefined> {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
  try {
    return parseRecord(text)
  } catch (cause) {
    throw new NsboxError('data_loss', `labels in ${path}`, { cause })
  }
}

function parseRecord(text: string): LabelRecord {
  const { updatedAt, labels } = JSON.parse(text) as { updatedAt: unknown; labels: Iterable<unknown[]> }
  const result: Record<string, string> = Object.create(null)
  for (const [key, value] of labels) {
    if (typeof key !== 'string' || typeof value !== 'string') throw new Error('no text')
    result[key] = value
  }
  return { updatedAt: Timestamp.parse(String(updatedAt)), labels: result }
}

/** Replaces a file with labels atomically. */
export async function writeLabels(
  path: string,
  { updatedAt, labels }: LabelRecord,
  durability: Durability,
): Promise<void> {
  const content = { updatedAt, labels: Object.entries(labels) }
  await replaceFile(path, JSON.stringify(content), durability)
}

/** Removes a file with labels if there is one. */
export async function removeLabels(path: string, durability: Durability): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return
  try {
    await unlink(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return
    throw error
  }
  await syncDirectory(dirname(path), durability)
}
