import type { Readable, Writable } from 'node:stream'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { FifoPaths } from './fifo-paths.ts'
import { InputStream } from './input-stream.ts'
import { OutputStream } from './output-stream.ts'

/** This process's ends of the FIFOs of another one's standard streams. */
export class ProcessStreams {
  readonly #stdin: InputStream | undefined
  readonly #stdout: OutputStream | undefined
  readonly #stderr: OutputStream | undefined

  private constructor(streams: { stdin?: InputStream; stdout?: OutputStream; stderr?: OutputStream }) {
    this.#stdin = streams.stdin
    this.#stdout = streams.stdout
    this.#stderr = streams.stderr
  }

  /** No streams. */
  static readonly none = new ProcessStreams({})

  /**
   * Opens those of the paths that are no URIs, without waiting for the server.
   * @param endInput lets the server end the process's input
   * @param options.untilStarted whether outputs do not end before `started`; false by default
   */
  static async open(
    paths: FifoPaths,
    endInput: () => Promise<void>,
    { untilStarted = false }: { readonly untilStarted?: boolean | undefined } = {},
  ): Promise<ProcessStreams> {
    await using opened = new AsyncDisposableStack()
    const reader = async (path: string) => {
      if (!path.startsWith('/')) return undefined
      const stream = await OutputStream.open(path, { untilStarted })
      opened.defer(() => stream.destroy())
      return stream
    }
    const stdout = await reader(paths.stdout)
    const stderr = paths.stderr === paths.stdout ? undefined : await reader(paths.stderr)
    const stdin = paths.stdin.startsWith('/') ? await InputStream.open(paths.stdin, endInput) : undefined
    opened.move()
    return new ProcessStreams({
      ...(stdin && { stdin }),
      ...(stdout && { stdout }),
      ...(stderr && { stderr }),
    })
  }

  get stdin(): Writable | undefined {
    return this.#stdin?.writable
  }

  get stdout(): Readable | undefined {
    return this.#stdout?.readable
  }

  get stderr(): Readable | undefined {
    return this.#stderr?.readable
  }

  /** To be called once the process has been started: its outputs may end. */
  async started(): Promise<void> {
    await Promise.all([this.#stdout?.started(), this.#stderr?.started()])
  }

  /** Waits, after the end of the process, until its output has been read. */
  async drain(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#stdin?.close()
    await Promise.all([this.#stdout?.drain(options), this.#stderr?.drain(options)])
  }

  /** Closes all of them; the process keeps the server's ends. */
  async close(): Promise<void> {
    await Promise.all([this.#stdout?.destroy(), this.#stderr?.destroy()])
    await this.#stdin?.close()
  }
}
