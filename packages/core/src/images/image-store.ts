import type { AbortOptions } from '@nsbox/concurrency'
import type { Descriptor } from '@nsbox/oci'
import type { Timestamp } from '@nsbox/time'
import type { LabelChange, Labels } from '../labels/labels.ts'

/** An image: a name for a target descriptor. */
export interface Image {
  /** Usually a reference such as `docker.io/library/redis:latest`, but any non-empty text is allowed. */
  readonly name: string
  readonly target: Descriptor
  readonly labels: Labels
  readonly createdAt: Timestamp
  readonly updatedAt: Timestamp
}

/** A new image. */
export interface NewImage {
  readonly name: string
  readonly target: Descriptor
  readonly labels?: Labels | undefined
}

/** The changes of an update; absent fields stay. */
export interface ImageChange {
  readonly target?: Descriptor | undefined
  readonly labels?: LabelChange | undefined
  /** Changes the annotations of the target descriptor. */
  readonly annotations?: LabelChange | undefined
}

/** How to delete an image. */
export interface ImageDeletion {
  /** Wait until everything that only this image held has been collected. */
  readonly sync?: boolean | undefined
  /** Delete only if the image still points here; another digest is `not_found`. */
  readonly target?: Descriptor | undefined
}

/**
 * Images by name. A target must have a media type, a valid digest and a size above zero, and labels must be within
 * the limits of `@nsbox/namespaces`; otherwise `invalid_argument`. The content that a target names need not exist.
 */
export interface ImageStore {
  /** @throws `not_found` */
  get(name: string, options?: AbortOptions): Promise<Image>

  /**
   * The images that match any of the filters (fields `name`, `target.digest`, `target.mediatype`, `labels.*`,
   * `annotations.*`), ordered by name; all of them if there is no filter.
   * @throws `invalid_argument` for a filter that does not parse
   */
  list(filters?: readonly string[], options?: AbortOptions): Promise<Image[]>

  /** @throws `already_exists`, `invalid_argument` */
  create(image: NewImage, options?: AbortOptions): Promise<Image>

  /** @throws `not_found`, `invalid_argument` */
  update(name: string, change: ImageChange, options?: AbortOptions): Promise<Image>

  /** @throws `not_found` */
  delete(name: string, options?: ImageDeletion & AbortOptions): Promise<void>
}
