import * as v from 'valibot'
import { documentSteps, maxDescriptors, maxDocumentSize } from './document.ts'
import { entries, fields, shortText, texts } from './field-schema.ts'
import { finish, type Steps } from './steps.ts'
import { validateEachSteps } from './validate.ts'

/** An image of an archive in the form of `docker save`; files are named by their paths in the archive. */
export interface DockerArchiveImage {
  readonly config: string
  /** References such as `redis:7`, as people type them. */
  readonly repoTags: readonly string[]
  /** Lowest first. */
  readonly layers: readonly string[]
}

const imageSchema = v.pipe(
  fields({
    Config: v.pipe(shortText(), v.nonEmpty('is empty')),
    RepoTags: v.optional(texts(maxDocumentSize), []),
    Layers: v.optional(
      v.pipe(texts(maxDocumentSize), v.maxLength(maxDescriptors, `more than ${maxDescriptors} layers`)),
      [],
    ),
  }),
  v.transform(
    ({ Config, RepoTags, Layers }): DockerArchiveImage => ({
      config: Config,
      repoTags: RepoTags,
      layers: Layers,
    }),
  ),
)

const imagesSchema = v.nullish(entries(maxDescriptors), [])

/**
 * Reads the `manifest.json` of a Docker archive. Its names are of entries of the archive: foreign text, and not paths
 * of this machine.
 *
 * @throws `invalid_argument`: beyond `maxDocumentSize` or `maxDescriptors`, not strict JSON, a field of the wrong type,
 * an image without a config
 */
export function parseDockerArchive(bytes: Uint8Array): DockerArchiveImage[] {
  return finish(dockerArchiveSteps(bytes))
}

/** `parseDockerArchive` in steps. */
export function* dockerArchiveSteps(bytes: Uint8Array): Steps<DockerArchiveImage[]> {
  const context = 'manifest.json'
  const images = yield* documentSteps(bytes, imagesSchema, context)
  return yield* validateEachSteps(imageSchema, images, context)
}
