import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { isErrno, NsboxError } from '@nsbox/errors'

/** Milliseconds that pasta may take until the network is there. */
const timeout = 20_000

/** Nothing of the host's own loopback interface is reachable, and no port of the container is opened on the host. */
const isolated = ['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none', '--no-map-gw']

/**
 * Connects a network namespace to the host's networks without root, by pasta(1): connections from it are made by a
 * process of the user. That process goes on in the background, and ends with the namespace.
 *
 * @param netns path of the namespace
 * @throws `failed_precondition` if pasta is not there, or fails, with what it says
 */
export async function connectAsUser(
  netns: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  try {
    await promisify(execFile)('pasta', ['--config-net', '--quiet', ...isolated, '--netns', netns], {
      timeout,
      signal,
    })
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    const reason = isErrno(error, 'ENOENT')
      ? 'the program pasta (package passt) is not in $PATH'
      : String((error as { stderr?: string }).stderr || error).trim()
    throw new NsboxError('failed_precondition', `a network for the container of an ordinary user: ${reason}`)
  }
}
