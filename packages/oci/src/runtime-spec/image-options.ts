import type { ContainerDefaults } from '../image-config.ts'
import { assertEnv, defaultPath, mergeEnv } from './env.ts'
import type { User } from './process.ts'
import { changeProcess, type SpecOption } from './spec-option.ts'
import { assertWorkingDirectory } from './working-directory.ts'

export interface ImageOptions {
  /** The image's `USER`, or another one, in its root file system; see `resolveUser`. */
  readonly user: User
  /** Arguments in place of the image's `Cmd`, after its `Entrypoint`. */
  readonly args?: readonly string[]
}

/**
 * The settings of an image for its process: program, environment, working directory. Existing variables take precedence
 * over the image's; an image without `PATH` gets one.
 *
 * @throws `invalid_argument`, naming the field: a variable that is not of the form `NAME=value`, a working directory
 * that is not absolute or leads to another process's directories
 */
export function withImageConfig(config: ContainerDefaults, { user, args }: ImageOptions): SpecOption {
  assertEnv(config.env, 'image config: Env')
  const cwd = config.workingDir || '/'
  assertWorkingDirectory(cwd, 'image config: WorkingDir')
  const path = config.env.some((variable) => variable.startsWith('PATH=')) ? [] : [defaultPath]
  return (spec) =>
    changeProcess(spec, (process) => ({
      ...process,
      user,
      args: [...config.entrypoint, ...(args && args.length > 0 ? args : config.cmd)],
      env: mergeEnv([...path, ...config.env], process.env ?? []),
      cwd,
    }))
}
