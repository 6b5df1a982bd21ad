import { NsboxError, quoted } from '@nsbox/errors'
import type { ImageConfig } from './image-config.ts'

/** Fields of a new image's config that are not in `ImageConfig`. */
export interface ImageConfigHistory {
  /** When the image was made; left out by default. */
  readonly created?: Date | undefined
  /** The command that made its only layer, for the history. */
  readonly createdBy: string
}

/**
 * The document of an image config (OCI image specification, config.md): the inverse of `parseImageConfig`. The same
 * values give the same document; empty ones are left out.
 *
 * @throws `invalid_argument` for a variable of the environment without a name, or a NUL in one
 */
export function imageConfigJson(
  { platform, diffIds, config }: ImageConfig,
  { created, createdBy }: ImageConfigHistory,
): Readonly<Record<string, unknown>> {
  const bad = config.env.find((variable) => !/^[^=\0]+=[^\0]*$/.test(variable))
  if (bad !== undefined) {
    throw new NsboxError(
      'invalid_argument',
      `image config: variable ${quoted(bad)} is not of the form NAME=value`,
    )
  }
  const time = created && { created: created.toISOString() }
  return {
    ...time,
    architecture: platform?.architecture ?? '',
    os: platform?.os ?? '',
    ...(platform?.osVersion && { 'os.version': platform.osVersion }),
    ...(platform?.osFeatures && { 'os.features': platform.osFeatures }),
    ...(platform?.variant && { variant: platform.variant }),
    config: {
      ...(config.user && { User: config.user }),
      ...(config.env.length > 0 && { Env: config.env }),
      ...(config.entrypoint.length > 0 && { Entrypoint: config.entrypoint }),
      ...(config.cmd.length > 0 && { Cmd: config.cmd }),
      ...(config.volumes.length > 0 && {
        Volumes: Object.fromEntries(config.volumes.map((path) => [path, {}])),
      }),
      ...(config.workingDir && { WorkingDir: config.workingDir }),
      ...(Object.keys(config.labels).length > 0 && { Labels: config.labels }),
      ...(config.stopSignal && { StopSignal: config.stopSignal }),
    },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: diffIds.map(() => ({ ...time, created_by: createdBy })),
  }
}
