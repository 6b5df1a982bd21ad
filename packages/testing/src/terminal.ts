import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExitStatus } from './exit-status.ts'
import { runOrThrow } from './run.ts'

export interface StartTerminalOptions {
  /** Variables added to this process's environment. */
  env?: Readonly<Record<string, string>>
}

/** A program on a pseudo-terminal of its own; both end when it is disposed of. */
export class TestTerminal implements AsyncDisposable {
  readonly #script: ChildProcess
  readonly #exited: Promise<ExitStatus>
  #output = ''
  /** The device, such as `/dev/pts/3`. */
  readonly device: string

  private constructor(script: ChildProcess, exited: Promise<ExitStatus>, device: string) {
    this.#script = script
    this.#exited = exited
    this.device = device
  }

  /** Starts a program by `script` of util-linux, and waits until it has its terminal. */
  static async start(command: readonly string[], { env }: StartTerminalOptions = {}): Promise<TestTerminal> {
    const line = `tty && exec ${command.map(quote).join(' ')}`
    const script = spawn(
      '/usr/bin/script',
      ['--quiet', '--flush', '--return', '--command', line, '/dev/null'],
      {
        env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh', ...env },
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    )
    const exited = once(script, 'close').then(([code, signal]) => ({ code, signal }))
    let output = ''
    let listener = (text: string) => {
      output += text
    }
    script.stdout.setEncoding('utf8').on('data', (text: string) => listener(text))
    // Input after the end is ignored.
    script.stdin.on('error', () => undefined)
    const ended = exited.then(() => true)
    while (!output.includes('\n')) {
      if (await Promise.race([ended, delay(10, false)])) throw new Error(`no terminal: ${output}`)
    }
    const end = output.indexOf('\n')
    const terminal = new TestTerminal(script, exited, output.slice(0, end).trim())
    terminal.#output = output.slice(end + 1)
    listener = (text) => {
      terminal.#output += text
    }
    return terminal
  }

  /** The output so far. */
  get output(): string {
    return this.#output
  }

  /** How the program ended. */
  get exited(): Promise<ExitStatus> {
    return this.#exited
  }

  /** Presses keys. */
  type(text: string): void {
    this.#script.stdin!.write(text)
  }

  /** Waits, for 60 seconds at most, until the output has a match. */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    let ended = false
    void this.#exited.then(() => {
      ended = true
    })
    for (const deadline = Date.now() + 60_000; ; await delay(10)) {
      // Asked for before the output, of which there is no more after the end.
      const last = ended || Date.now() > deadline
      const match = pattern.exec(this.#output)
      if (match) return match
      if (last) throw new Error(`the terminal has no ${pattern}; it shows:\n${this.#output}`)
    }
  }

  /** Changes the size, in characters. */
  async resize({ width, height }: { width: number; height: number }): Promise<void> {
    await runOrThrow('stty', ['-F', this.device, 'cols', String(width), 'rows', String(height)])
  }

  /** Whether the terminal is in raw mode. */
  async isRaw(): Promise<boolean> {
    const { stdout } = await runOrThrow('stty', ['-F', this.device, '-a'])
    return stdout.includes('-icanon')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#script.kill('SIGKILL')
    await this.#exited
  }
}

function quote(argument: string): string {
  return `'${argument.replaceAll("'", `'\\''`)}'`
}
