import type { Image } from '@nsbox/core/images'
import { checkNameLength } from '@nsbox/core/names'
import { NsboxError, quoted } from '@nsbox/errors'
import { validateLabels } from '@nsbox/namespaces'
import { type Descriptor, isDigest, labelKeys } from '@nsbox/oci'
import { Timestamp } from '@nsbox/time'
import type { Write } from '../database/ledger.ts'
import { labelReferences, noReferences, type References, setReferences } from '../database/references.ts'
import { decodeLabels, encodeLabels } from '../database/stored-labels.ts'

export interface ImageRow {
  name: string
  media_type: string
  digest: string
  size: number
  annotations: string
  labels: string
  created_at: number
  updated_at: number
}

export const imageColumns = 'name, media_type, digest, size, annotations, labels, created_at, updated_at'

/** The target has the fields of the API: media type, digest, size and annotations. */
export function imageFromRow(row: ImageRow): Image {
  const annotations = decodeLabels(row.annotations)
  return {
    name: row.name,
    target: {
      mediaType: row.media_type,
      digest: row.digest as Descriptor['digest'],
      size: row.size,
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    labels: decodeLabels(row.labels),
    createdAt: Timestamp.fromEpochMicroseconds(row.created_at),
    updatedAt: Timestamp.fromEpochMicroseconds(row.updated_at),
  }
}

/**
 * Checks the fields of an image. The error texts are containerd's (docs/behaviour.md §1).
 * @throws `invalid_argument`
 */
export function validateImage({ name, target, labels }: Pick<Image, 'name' | 'target' | 'labels'>): void {
  const refuse = (why: string): never => {
    throw new NsboxError('invalid_argument', why)
  }
  if (name === '') refuse('image name must not be empty')
  checkNameLength('image name', name)
  checkNameLength('target.MediaType', target.mediaType)
  validateLabels(labels, 'image.Labels')
  if (!isDigest(target.digest)) refuse(`target.Digest ${quoted(target.digest)} invalid`)
  if (!Number.isSafeInteger(target.size) || target.size <= 0) refuse('target.Size must be greater than zero')
  if (target.mediaType === '') refuse('target.MediaType must be set')
  validateLabels(target.annotations ?? {}, 'target.Annotations')
}

/**
 * Writes an image and its references.
 * @param before the image as it is, unless it is new
 * @returns when it stops being a root, if it does; a malformed expiry is ignored (docs/behaviour.md §6)
 */
export function writeImage(
  tx: Write,
  namespace: string,
  image: Image,
  before: Image | undefined,
): number | undefined {
  const { name, target, labels } = image
  const expiry = labels[labelKeys.gcExpire]
  const expiresAt = expiry === undefined ? undefined : Timestamp.tryParse(expiry)?.epochMilliseconds
  tx.run(
    'INSERT OR REPLACE INTO image VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    namespace,
    name,
    target.mediaType,
    target.digest,
    target.size,
    encodeLabels(target.annotations ?? {}),
    encodeLabels(labels),
    image.createdAt.epochMicroseconds,
    image.updatedAt.epochMicroseconds,
    expiresAt ?? null,
  )
  const referencesBefore = before === undefined ? noReferences : referencesOf(before)
  setReferences(tx, namespace, { kind: 'image', id: name }, referencesOf(image), referencesBefore)
  return expiresAt
}

function referencesOf({ target, labels }: Image): References {
  const { to, from } = labelReferences(labels)
  return { to: [{ kind: 'content', id: target.digest }, ...to], from }
}
