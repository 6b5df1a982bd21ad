import { randomUUID } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { type AccessLogEntry, parseAccessLog } from './registry-access-log.ts'
import { runOrThrow } from './run.ts'
import { type RunningProcess, startProcess } from './running-process.ts'
import { tempDir } from './temp-dir.ts'

/** The name and password for a registry. */
export interface RegistryCredentials {
  readonly user: string
  readonly password: string
}

export interface StartRegistryOptions {
  /** Demands HTTP basic authentication with these for every request; none by default. */
  auth?: RegistryCredentials
  /** Directory of blobs; a temporary one by default. */
  storageDir?: string
  /** The port to listen on; a free one by default. */
  port?: number
  /** The address to listen on; 127.0.0.1 by default. */
  address?: string
  /** A program and its arguments that start the registry elsewhere, such as `nsenter`; nothing by default. */
  within?: readonly string[]
}

/** Debian's `docker-registry`, on a loopback port unless it is told otherwise, over plain HTTP. */
export class Registry implements AsyncDisposable {
  readonly #directory: string
  readonly #options: StartRegistryOptions
  readonly #resources: AsyncDisposableStack
  #process: RunningProcess
  /** `ADDRESS:PORT`, the first part of references to images here; stays the same over a restart. */
  readonly host: string
  readonly auth: RegistryCredentials | undefined

  /** @internal use `startRegistry` */
  constructor(
    directory: string,
    options: StartRegistryOptions,
    process: RunningProcess,
    host: string,
    resources: AsyncDisposableStack,
  ) {
    this.#directory = directory
    this.#options = options
    this.#process = process
    this.#resources = resources
    this.host = host
    this.auth = options.auth
  }

  /** The current process. */
  get process(): RunningProcess {
    return this.#process
  }

  /**
   * All requests answered since the start, restarts included, in the order in which their answers ended. The log has no
   * request headers: a range shows as status 206 with its number of bytes.
   */
  async accessLog(): Promise<AccessLogEntry[]> {
    // The registry logs a request after its answer, so after the answer to a later request all earlier lines are
    // written.
    const marker = `/v2/?marker=${randomUUID()}`
    await fetch(`http://${this.host}${marker}`, { signal: AbortSignal.timeout(10_000) })
    for (let attempt = 0; attempt < 200; attempt++) {
      const text = await readFile(accessLogFile(this.#directory), 'utf8')
      if (text.includes(marker) && text.endsWith('\n'))
        return parseAccessLog(text).filter((entry) => !entry.path.startsWith('/v2/?marker='))
      await delay(25)
    }
    throw new Error(`the registry's access log does not show a request that was answered`)
  }

  /** Ends the process at once, as a crash does; connections break. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#process.exited
  }

  /** Starts again on the same port and storage after `kill`. */
  async restart(): Promise<void> {
    const port = Number(this.host.split(':')[1])
    ;({ process: this.#process } = await serve(this.#directory, { ...this.#options, port }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop()
    await this.#resources.disposeAsync()
  }
}

/** Starts a registry that is empty, or has the content of `storageDir`. */
export async function startRegistry(options: StartRegistryOptions = {}): Promise<Registry> {
  await using stack = new AsyncDisposableStack()
  const directory = stack.use(await tempDir('nsbox-registry')).path
  const { process, host } = await serve(directory, options)
  return new Registry(directory, options, process, host, stack.move())
}

const accessLogFile = (directory: string) => join(directory, 'access.log')

async function serve(
  directory: string,
  {
    auth,
    storageDir = join(directory, 'storage'),
    port = 0,
    address = '127.0.0.1',
    within = [],
  }: StartRegistryOptions,
): Promise<{ process: RunningProcess; host: string }> {
  const htpasswd = join(directory, 'htpasswd')
  if (auth) await writeFile(htpasswd, `${auth.user}:${await bcrypt(auth.password)}\n`)
  await mkdir(storageDir, { recursive: true })
  const config = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory: storageDir },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    // The secret signs the state of uploads; a random one would end them at a restart.
    http: { addr: `${address}:${port}`, secret: 'the same after a restart' },
    ...(auth ? { auth: { htpasswd: { realm: 'test', path: htpasswd } } } : {}),
  }
  const configFile = join(directory, 'config.yml')
  // JSON is YAML.
  await writeFile(configFile, JSON.stringify(config))
  const ready = /listening on ([\d.]+:\d+)/
  const [program, ...args] = [...within, 'docker-registry', 'serve', configFile]
  const process = await startProcess(program!, args, {
    ready,
    stdoutFile: accessLogFile(directory),
  })
  return { process, host: ready.exec(process.output)![1]! }
}

/** Hashes a password for docker-registry. Node has no bcrypt, but the C library behind perl's crypt has. */
async function bcrypt(password: string): Promise<string> {
  const salt = '$2b$04$nsboxnsboxnsboxnsboxnu'
  const script = 'print crypt($ENV{PASSWORD}, $ENV{SALT})'
  return (await runOrThrow('perl', ['-e', script], { env: { PASSWORD: password, SALT: salt } })).stdout
}
