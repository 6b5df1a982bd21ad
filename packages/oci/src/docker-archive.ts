import { NsboxError } from '@nsbox/errors'
import { maxDescriptors, maxDocumentSize } from './document.ts'
import { jsonFields } from './json-fields.ts'
import { finish, type Steps } from './steps.ts'
import { strictJsonSteps } from './strict-json.ts'

/** An image of an archive as `docker save` writes it; files are named by their paths in the archive. */
export interface DockerArchiveImage {
  readonly config: string
  /** References such as `redis:7`, as people type them. */
  readonly repoTags: readonly string[]
  /** Lowest first. */
  readonly layers: readonly string[]
}

const known = ['Config', 'RepoTags', 'Layers']

/**
 * Reads the `manifest.json` of a Docker archive. What it names are entries of the archive: foreign text, and no paths of
 * this machine.
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
  if (bytes.byteLength > maxDocumentSize)
    throw new NsboxError('invalid_argument', `${context}: more than ${maxDocumentSize} bytes`)
  const document = jsonFields({ images: yield* strictJsonSteps(bytes, context) }, context, ['images'])
  const images = document.objects('images', known, maxDescriptors) ?? []
  const found: DockerArchiveImage[] = []
  for (const image of images) {
    const config = image.string('Config')
    if (!config) throw image.refuse('has no Config')
    const layers = image.strings('Layers', maxDocumentSize) ?? []
    if (layers.length > maxDescriptors) throw image.refuse(`more than ${maxDescriptors} layers`)
    found.push({ config, repoTags: image.strings('RepoTags', maxDocumentSize) ?? [], layers })
    yield
  }
  return found
}
