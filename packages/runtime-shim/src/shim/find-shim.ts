import { stat } from 'node:fs/promises'
import { dirname, isAbsolute } from 'node:path'
import { fromSystemError, isErrno, NsboxError, quoted } from '@nsbox/errors'
import { findProgram } from '@nsbox/supervisor/programs'

/**
 * The program of a runtime. `io.containerd.<name>.<version>` is `containerd-shim-<name>-<version>` in the search path;
 * an absolute path is the program itself (docs/behaviour.md §7).
 *
 * @param searchPath in the form of `PATH`
 * @throws `invalid_argument` for an invalid name of a runtime; `not_found` without such a program;
 * `failed_precondition` for one that everyone may write to
 */
export async function findShim(runtimeName: string, searchPath: string | undefined): Promise<string> {
  const program = isAbsolute(runtimeName) ? runtimeName : shimName(runtimeName)
  const path = find(runtimeName, program, searchPath)
  for (const checked of [dirname(path), path]) await refuseIfOpenToAll(checked)
  return path
}

function shimName(runtimeName: string): string {
  const parts = runtimeName.split('.')
  const [name, version] = parts.slice(-2)
  if (runtimeName.includes('/') || parts.length < 2 || !parts[0] || !name || !version)
    throw new NsboxError(
      'invalid_argument',
      `invalid runtime name ${quoted(runtimeName)}, correct runtime name should be either format like ` +
        '`io.containerd.runc.v2` or a full path to the binary',
    )
  return `containerd-shim-${name}-${version}`
}

function find(runtimeName: string, program: string, searchPath: string | undefined): string {
  try {
    return findProgram(program, { searchPath, from: '/' })
  } catch (error) {
    const context = `runtime ${quoted(runtimeName)} binary not installed ${quoted(program)}`
    if (isErrno(error, 'ENOENT')) throw new NsboxError('not_found', context, { cause: error })
    throw fromSystemError(error, context)
  }
}

async function refuseIfOpenToAll(path: string): Promise<void> {
  const { mode } = await stat(path)
  if ((mode & 0o002) === 0) return
  throw new NsboxError('failed_precondition', `shim ${quoted(path)}: everyone may write to it`)
}
