import * as v from 'valibot'
import { type Descriptor, digestSchema } from './descriptor.ts'
import type { Digest } from './digest.ts'
import { documentSteps, maxDescriptors, maxDocumentSize } from './document.ts'
import { fields, keys, optionalText, textMap, texts } from './field-schema.ts'
import { type Platform, platformFields, platformFrom } from './platform.ts'
import { finish, type Steps } from './steps.ts'

/** The part of an image's config (OCI image specification, config.md) that nsbox uses. */
export interface ImageConfig {
  /** Undefined if the document names neither operating system nor architecture, as configs of artifacts do. */
  readonly platform?: Platform | undefined
  /** The digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly Digest[]
  readonly config: ContainerDefaults
}

/**
 * How to run the image. An empty text means unset, as in documents of Go programs. The values come from the image's
 * author and must be checked before they are used.
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

const lines = v.optional(texts(maxDocumentSize), [])

const schema = fields({
  ...platformFields,
  rootfs: v.optional(
    fields({
      type: v.optional(v.picklist(['layers', ''], 'not "layers"')),
      diff_ids: v.optional(v.pipe(texts(maxDescriptors * 135), v.array(digestSchema)), []),
    }),
  ),
  config: v.optional(
    fields({
      User: optionalText(),
      Env: lines,
      Entrypoint: lines,
      Cmd: lines,
      WorkingDir: optionalText(),
      StopSignal: optionalText(),
      Labels: v.optional(textMap(maxDocumentSize)),
      Volumes: v.optional(keys, {}),
    }),
    {},
  ),
})

/**
 * Reads an image config of OCI or Docker whose bytes have been checked against their digest.
 *
 * @throws `invalid_argument`, naming the digest: beyond `maxDocumentSize`, not strict JSON, a field of the wrong type,
 * a bad diff id
 */
export function parseImageConfig(bytes: Uint8Array, descriptor: Pick<Descriptor, 'digest'>): ImageConfig {
  return finish(imageConfigSteps(bytes, descriptor))
}

/** `parseImageConfig` in steps. */
export function* imageConfigSteps(
  bytes: Uint8Array,
  { digest }: Pick<Descriptor, 'digest'>,
): Steps<ImageConfig> {
  const { rootfs, config, ...rest } = yield* documentSteps(bytes, schema, `config ${digest}`)
  const platform = platformFrom(rest)
  return {
    ...((platform.os !== '' || platform.architecture !== '') && { platform }),
    diffIds: rootfs?.diff_ids ?? [],
    config: {
      user: config.User,
      env: config.Env,
      entrypoint: config.Entrypoint,
      cmd: config.Cmd,
      workingDir: config.WorkingDir,
      stopSignal: config.StopSignal,
      labels: config.Labels ?? Object.create(null),
      volumes: config.Volumes,
    },
  }
}
