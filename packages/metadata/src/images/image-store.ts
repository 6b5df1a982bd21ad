import { answerBudget } from '@nsbox/core/byte-budget'
import type { Image, ImageStore } from '@nsbox/core/images'
import { changeLabels } from '@nsbox/core/labels'
import { NsboxError, quoted } from '@nsbox/errors'
import { type Adaptor, labelField, parseListFilters } from '@nsbox/filters'
import type { Reader } from '@nsbox/sqlite'
import type { Clock } from '@nsbox/time'
import type { GarbageCollector } from '../database/garbage-collector.ts'
import type { Ledger } from '../database/ledger.ts'
import { type Listing, listRows } from '../database/listing.ts'
import { dropReferences } from '../database/references.ts'
import { holdIn, letGo, type Scope } from '../leases/lease-binding.ts'
import { type ImageRow, imageColumns, imageFromRow, validateImage, writeImage } from './image-row.ts'

/** What an image store works with. */
interface Parts {
  readonly ledger: Ledger
  readonly collector: GarbageCollector
  readonly clock: Clock
}

/** The images of a namespace. */
export function imageStore({ ledger, collector, clock }: Parts, scope: Scope): ImageStore {
  const { namespace } = scope
  return {
    async get(name, { signal } = {}) {
      signal?.throwIfAborted()
      return ledger.read((db) => find(db, namespace, name))
    },

    async list(filters = [], { signal } = {}) {
      const filter = parseListFilters(filters)
      const budget = answerBudget('images')
      const images: Image[] = []
      for await (const row of listRows(ledger, imagesOf(namespace), signal)) {
        const image = imageFromRow(row)
        if (!filter.match(adaptor(image))) continue
        budget.take(row.name.length + row.labels.length + row.annotations.length)
        images.push(image)
      }
      return images
    },

    async create({ name, target, labels = {} }, { signal } = {}) {
      const kept = changeLabels({}, { replace: labels })
      validateImage({ name, target, labels: kept })
      signal?.throwIfAborted()
      const now = clock.stamp()
      const { mediaType, digest, size, annotations } = target
      const image: Image = {
        name,
        target: { mediaType, digest, size, ...(annotations && { annotations }) },
        labels: kept,
        createdAt: now,
        updatedAt: now,
      }
      return ledger.write(namespace, (tx) => {
        if (lookUp(tx, namespace, name)) throw new NsboxError('already_exists', `image ${quoted(name)}`)
        holdIn(tx, scope, { kind: 'image', id: name })
        collector.expires(writeImage(tx, namespace, image, undefined))
        tx.emit({ topic: '/images/create', payload: { name, labels: kept } })
        return image
      })
    },

    async update(name, change, { signal } = {}) {
      signal?.throwIfAborted()
      const image = await ledger.write(namespace, (tx) => {
        const current = find(tx, namespace, name)
        const target = change.target ?? current.target
        const annotations =
          change.annotations === undefined
            ? target.annotations
            : changeLabels(target.annotations ?? {}, change.annotations)
        const image: Image = {
          name,
          target: {
            mediaType: target.mediaType,
            digest: target.digest,
            size: target.size,
            ...(annotations && Object.keys(annotations).length > 0 && { annotations }),
          },
          labels: change.labels === undefined ? current.labels : changeLabels(current.labels, change.labels),
          createdAt: current.createdAt,
          updatedAt: clock.stamp(current.updatedAt),
        }
        validateImage(image)
        collector.expires(writeImage(tx, namespace, image, current))
        tx.emit({ topic: '/images/update', payload: { name, labels: image.labels } })
        return image
      })
      collector.schedule()
      return image
    },

    async delete(name, { sync = false, target, signal } = {}) {
      signal?.throwIfAborted()
      await ledger.write(namespace, (tx) => {
        const current = find(tx, namespace, name)
        if (target !== undefined && target.digest !== current.target.digest) {
          throw new NsboxError(
            'not_found',
            `image ${quoted(name)} has target ${current.target.digest}, not ${target.digest}`,
          )
        }
        tx.run('DELETE FROM image WHERE namespace = ? AND name = ?', namespace, name)
        dropReferences(tx, namespace, { kind: 'image', id: name })
        letGo(tx, scope, { kind: 'image', id: name })
        tx.emit({ topic: '/images/delete', payload: { name } })
      })
      if (sync) await collector.collect({ signal })
      else collector.schedule()
    },
  }
}

const imagesOf = (namespace: string): Listing<ImageRow> => ({
  after: (db, name, enough) =>
    db.upTo(
      `SELECT ${imageColumns} FROM image WHERE namespace = ? AND name > ? ORDER BY name`,
      enough,
      namespace,
      name,
    ),
  key: ({ name }) => name,
  size: ({ labels, annotations }) => labels.length + annotations.length,
})

function lookUp(db: Reader, namespace: string, name: string): ImageRow | undefined {
  return db.get<ImageRow>(
    `SELECT ${imageColumns} FROM image WHERE namespace = ? AND name = ?`,
    namespace,
    name,
  )
}

function find(db: Reader, namespace: string, name: string): Image {
  const row = lookUp(db, namespace, name)
  if (row === undefined) throw new NsboxError('not_found', `image ${quoted(name)}`)
  return imageFromRow(row)
}

/** The fields of an image for filters (docs/behaviour.md §2). */
function adaptor({ name, target, labels }: Image): Adaptor {
  return {
    field([first, ...rest]) {
      switch (first) {
        case 'name':
          return name
        case 'target':
          if (rest.length !== 1) return undefined
          if (rest[0] === 'digest') return target.digest
          return rest[0] === 'mediatype' ? target.mediaType : undefined
        case 'labels':
          return labelField(labels, rest)
        case 'annotations':
          return labelField(target.annotations ?? {}, rest)
        default:
          return undefined
      }
    },
  }
}
