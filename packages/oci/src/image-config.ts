import { NsboxError } from '@nsbox/errors'
import type { Descriptor } from './descriptor.ts'
import { type Digest, isDigest } from './digest.ts'
import { maxDescriptors, maxDocumentSize } from './document.ts'
import { jsonFields } from './json-fields.ts'
import { type Platform, platformFields, platformFrom } from './platform.ts'
import { quoted } from './quoted.ts'
import { finish, type Steps } from './steps.ts'
import { strictJsonSteps } from './strict-json.ts'

/** An image's config (OCI image specification, config.md), as far as nsbox acts on it. */
export interface ImageConfig {
  /** Undefined if the document names neither operating system nor architecture, as configs of artifacts do. */
  readonly platform?: Platform | undefined
  /** The digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly Digest[]
  readonly config: ContainerDefaults
}

/**
 * How to run the image. An empty text means that nothing is set, as in documents of Go programs. The values come from
 * the image's author and have to be checked before they are used.
 */
export interface ContainerDefaults {
  readonly user?: string | undefined
  readonly env: readonly string[]
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly workingDir?: string | undefined
  readonly stopSignal?: string | undefined
  readonly labels: Readonly<Record<string, string>>
  /** Paths. */
  readonly volumes: readonly string[]
}

const known = [...platformFields, 'rootfs', 'config']
const rootfsFields = ['type', 'diff_ids']
const defaultsFields = ['User', 'Env', 'Entrypoint', 'Cmd', 'WorkingDir', 'StopSignal', 'Labels', 'Volumes']

/**
 * Reads an image config of OCI or Docker whose bytes have been checked against their digest.
 *
 * @throws `invalid_argument`, naming the digest: beyond `maxDocumentSize`, not strict JSON, a field of the wrong type, a
 * bad diff id
 */
export function parseImageConfig(bytes: Uint8Array, descriptor: Pick<Descriptor, 'digest'>): ImageConfig {
  return finish(imageConfigSteps(bytes, descriptor))
}

/** `parseImageConfig` in steps. */
export function* imageConfigSteps(
  bytes: Uint8Array,
  { digest }: Pick<Descriptor, 'digest'>,
): Steps<ImageConfig> {
  const context = `config ${digest}`
  if (bytes.byteLength > maxDocumentSize)
    throw new NsboxError('invalid_argument', `${context}: more than ${maxDocumentSize} bytes`)
  const fields = jsonFields(yield* strictJsonSteps(bytes, context), context, known)
  yield
  const platform = platformFrom(fields)
  const rootfs = fields.object('rootfs', rootfsFields)
  const type = rootfs?.string('type')
  if (type !== undefined && type !== '' && type !== 'layers')
    throw fields.refuse(`rootfs of type ${quoted(type)}`)
  const diffIds = rootfs?.strings('diff_ids', maxDescriptors * 135) ?? []
  const bad = diffIds.find((diffId) => !isDigest(diffId))
  if (bad !== undefined) throw fields.refuse(`invalid diff id ${quoted(bad)}`)
  const config = fields.object('config', defaultsFields)
  return {
    ...((platform.os !== '' || platform.architecture !== '') && { platform }),
    diffIds: diffIds as Digest[],
    config: {
      user: config?.string('User') || undefined,
      env: config?.strings('Env', maxDocumentSize) ?? [],
      entrypoint: config?.strings('Entrypoint', maxDocumentSize) ?? [],
      cmd: config?.strings('Cmd', maxDocumentSize) ?? [],
      workingDir: config?.string('WorkingDir') || undefined,
      stopSignal: config?.string('StopSignal') || undefined,
      labels: config?.stringMap('Labels', maxDocumentSize) ?? Object.create(null),
      volumes: config?.keys('Volumes') ?? [],
    },
  }
}
