import { spawn } from 'node:child_process'
import { onAbort } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import { isErrno, NsboxError, quoted } from '@nsbox/errors'
import { remoteText } from '../http/redact.ts'

/** The answer of a helper. */
export interface HelperAnswer {
  /** `<token>` if the secret is a refresh token. */
  readonly username: string
  readonly secret: string
}

const maxOutput = 64 * 1024
/** The messages with which helpers fail if they have no credentials for a server. */
const nothing = /^credentials not found in native keychain/

/**
 * Asks a docker credential helper, the program `docker-credential-<name>`, for a server (docs/threat-model.md C08,
 * D20).
 *
 * @param server the server's key in Docker's configuration
 * @param timeout milliseconds after which the helper and all that it started is killed
 * @returns undefined if the helper has nothing for the server
 * @throws `invalid_argument` for an invalid name; `failed_precondition` if the helper does not exist, fails, or gives a
 * malformed answer; `unavailable` if it takes too long
 */
export async function askHelper(
  name: string,
  server: string,
  { timeout, signal }: { readonly timeout: number } & AbortOptions,
): Promise<HelperAnswer | undefined> {
  if (!/^[A-Za-z0-9._-]{1,128}$/.test(name))
    throw new NsboxError('invalid_argument', `credential helper ${quoted(name)}: invalid name`)
  signal?.throwIfAborted()
  const program = `docker-credential-${name}`
  const { code, stdout } = await run(program, `${server}\n`, timeout, signal)
  if (code !== 0) {
    if (nothing.test(stdout.trim())) return undefined
    // Output that is an answer is never quoted as an error message, whatever the exit status.
    const said = /secret/i.test(stdout) ? '' : ` (${remoteText(stdout)})`
    throw new NsboxError('failed_precondition', `${program}: exit status ${code}${said}`)
  }
  return parseAnswer(stdout, program)
}

function parseAnswer(stdout: string, program: string): HelperAnswer | undefined {
  try {
    const { Username: username, Secret: secret } = JSON.parse(stdout) as {
      Username?: unknown
      Secret?: unknown
    }
    if (typeof username === 'string' && typeof secret === 'string')
      return secret === '' ? undefined : { username, secret }
  } catch {
    // Reported below without the output, which may have the secret.
  }
  throw new NsboxError('failed_precondition', `${program}: its answer makes no sense`)
}

function run(
  program: string,
  input: string,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve, reject) => {
    // A process group of its own can be killed as a whole.
    const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], detached: true })
    const chunks: Buffer[] = []
    let size = 0
    const end = (error?: unknown) => {
      clearTimeout(timer)
      aborting[Symbol.dispose]()
      if (error === undefined) return
      reject(error)
      child.stdout.destroy()
      if (child.pid !== undefined) killGroup(child.pid)
    }
    const timer = setTimeout(
      () => end(new NsboxError('unavailable', `${program}: no answer after ${timeout} ms`)),
      timeout,
    )
    const aborting = onAbort(signal, () => end(signal?.reason))
    child.once('error', (error) =>
      end(
        isErrno(error, 'ENOENT')
          ? new NsboxError('failed_precondition', `${program}: no such program`)
          : new NsboxError('failed_precondition', `${program}: ${error.message}`, { cause: error }),
      ),
    )
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxOutput)
        end(new NsboxError('failed_precondition', `${program}: more than ${maxOutput} bytes of output`))
      else chunks.push(chunk)
    })
    child.once('close', (code, killed) => {
      end()
      if (code === null) reject(new NsboxError('failed_precondition', `${program}: ended by ${killed}`))
      else resolve({ code, stdout: Buffer.concat(chunks).toString() })
    })
    // A helper may answer without reading its input.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error
  }
}
