import { CFunction } from '../c-function.ts'
import { keepStandardOnExec } from '../descriptors/close-on-exec.ts'

const execve = new CFunction('int execve(const char *path, const char **args, const char **env)')

/**
 * Replaces the program of this process by another one (execve(2)), with the same pid, terminal and standard
 * descriptors. Node closes all others. Nothing of this program runs afterwards: no listener, no clean-up.
 *
 * @param path of the file; there is no search
 * @param args without the program's name, which is its path
 * @throws with the detail `errno`, such as `ENOENT`, if it cannot be executed
 */
export function replaceProgram(
  path: string,
  args: readonly string[],
  env: Readonly<NodeJS.ProcessEnv>,
): never {
  const variables = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  )
  keepStandardOnExec()
  execve.callOrThrow(path, [path, ...args, null], [...variables, null])
  throw new Error('execve returned')
}
