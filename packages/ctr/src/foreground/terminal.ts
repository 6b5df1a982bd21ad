import { NsboxError } from '@nsbox/errors'

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly width: number
  readonly height: number
}

/**
 * This process's terminal, for a process elsewhere to use. While it is raw, keys go to that process as they are, those
 * that make signals included. It is reset when this is disposed of, and when this process ends, unless by SIGKILL.
 */
export class Terminal implements Disposable {
  readonly #raw: boolean
  readonly #restore = () => this[Symbol.dispose]()
  readonly #quit = () => {
    this[Symbol.dispose]()
    process.kill(process.pid, 'SIGQUIT')
  }

  private constructor() {
    const { stdin } = process
    this.#raw = stdin.isTTY && !stdin.isRaw
    if (!this.#raw) return
    stdin.setRawMode(true)
    process.once('exit', this.#restore)
    // No other listener handles this signal, which would end the process at once.
    process.once('SIGQUIT', this.#quit)
  }

  /** Takes the terminal over. @throws `failed_precondition` if there is none */
  static open(): Terminal {
    Terminal.require()
    return new Terminal()
  }

  /** @throws `failed_precondition` if none of the standard streams is a terminal */
  static require(): void {
    if (process.stdin.isTTY || screen() !== undefined) return
    throw new NsboxError('failed_precondition', 'neither input nor output is a terminal, as a terminal needs')
  }

  /** At this moment: what Node remembers is of its last signal, which may have come before it listened. */
  get size(): TerminalSize | undefined {
    const size = screen()?.getWindowSize()
    return size && { width: size[0], height: size[1] }
  }

  /** Calls `listener` whenever the size changes, until the result is disposed of. */
  onResize(listener: () => void): Disposable {
    const output = screen()
    output?.on('resize', listener)
    return { [Symbol.dispose]: () => output?.off('resize', listener) }
  }

  [Symbol.dispose](): void {
    if (!this.#raw) return
    process.off('exit', this.#restore)
    process.off('SIGQUIT', this.#quit)
    if (process.stdin.isRaw) process.stdin.setRawMode(false)
  }
}

function screen() {
  return [process.stdout, process.stderr].find((stream) => stream.isTTY)
}
