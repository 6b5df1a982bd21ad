import { closeSync, writeSync } from 'node:fs'
import { NsboxError, quoted } from '@nsbox/errors'
import { connectUnix } from '@nsbox/sys/descriptors'
import type { Logger } from 'pino'

type Environment = Record<string, string | undefined>

/** The least milliseconds between two signs of life. */
const leastBeat = 100

/**
 * Tells the service manager that has started this process what it does, by the protocol of systemd (sd_notify(3)): one
 * datagram for each message. Without such a manager it does nothing. A message that cannot be sent is logged, and never
 * ends the server.
 */
export class ServiceManager implements Disposable {
  readonly #address: string | undefined
  /** Milliseconds within which the manager wants a sign of life. */
  readonly #patience: number | undefined
  #log: Pick<Logger, 'warn'> | undefined
  #watchdog: NodeJS.Timeout | undefined

  /**
   * Takes `NOTIFY_SOCKET` and the watchdog's variables out of the environment, so that programs that are started do not
   * speak for this one.
   * @throws `invalid_argument` for an address that is neither a path nor an abstract name
   */
  constructor(env: Environment = process.env) {
    this.#address = addressOf(env.NOTIFY_SOCKET)
    const { WATCHDOG_USEC: microseconds, WATCHDOG_PID: pid } = env
    const isMine = pid === undefined || pid === String(process.pid)
    const patience = Number(microseconds) / 1000
    if (this.#address !== undefined && isMine && patience > 0) this.#patience = patience
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name]
  }

  /**
   * The server serves. From now on the event loop itself gives signs of life, twice in the time that the manager waits:
   * a server whose event loop stands still is started again by it.
   */
  ready(status: string, log: Pick<Logger, 'warn'>): void {
    this.#log = log
    this.#tell('READY=1', `STATUS=${oneLine(status)}`)
    if (this.#patience === undefined) return
    const beat = Math.max(this.#patience / 2, leastBeat)
    this.#watchdog = setInterval(() => this.#tell('WATCHDOG=1'), beat).unref()
  }

  /** The configuration is being read again, which ends with `reloaded`. */
  reloading(): void {
    // The monotonic clock, in microseconds, is that of hrtime(3).
    this.#tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`, 'STATUS=Reloading')
  }

  reloaded(status: string): void {
    this.#tell('READY=1', `STATUS=${oneLine(status)}`)
  }

  /** The server ends. Signs of life go on, since calls may take a while to end. */
  stopping(): void {
    this.#tell('STOPPING=1', 'STATUS=Stopping')
  }

  [Symbol.dispose](): void {
    clearInterval(this.#watchdog)
  }

  #tell(...lines: string[]): void {
    if (this.#address === undefined) return
    try {
      const fd = connectUnix(this.#address, 'datagrams')
      try {
        writeSync(fd, lines.join('\n'))
      } finally {
        closeSync(fd)
      }
    } catch (err) {
      this.#log?.warn({ err }, 'the service manager cannot be told')
    }
  }
}

function addressOf(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined
  if (text.startsWith('/')) return text
  if (text.startsWith('@')) return `\0${text.slice(1)}`
  throw new NsboxError(
    'invalid_argument',
    `NOTIFY_SOCKET is ${quoted(text)}, must be a path or an abstract name`,
  )
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ')
