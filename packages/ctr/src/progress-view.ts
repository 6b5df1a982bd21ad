import { clearScreenDown, moveCursor } from 'node:readline'
import type { WriteStream } from 'node:tty'
import type { TransferProgress } from '@nsbox/core/transfer'
import { printable } from '@nsbox/errors'
import { formatBinarySize } from './format-size.ts'

/** Most and fewest characters of a bar, its ends not counted (docs/behaviour.md §10), and of a name. */
const widths = { bar: { most: 40, least: 10 }, name: { most: 80, least: 24 } } as const

/** Characters of a line beside a bar and a name: the state, two sizes, and what is between them. */
const otherWidth = 41

/** States in which an object has nothing left to do. */
const done = new Set(['complete', 'already exists', 'extracted', 'saved'])

/** States in which an object's progress counts bytes that were moved. */
const moving = new Set(['downloading', 'uploading', 'complete'])

/** Where progress is shown. */
export interface ProgressOutput {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/**
 * Shows the progress of a transfer: bars that are redrawn on a terminal, and one plain line for each change of state
 * everywhere else. Dispose of it to draw the last state.
 */
export class ProgressView {
  readonly #output: ProgressOutput
  /** When the transfer began, which may ask for a password before. */
  #started = Date.now()
  readonly #objects = new Map<string, TransferProgress>()
  /** Bytes moved of each object. */
  readonly #moved = new Map<string, number>()
  #lines = 0
  #ended = false
  #timer: NodeJS.Timeout | undefined

  constructor(output: ProgressOutput = process.stdout) {
    this.#output = output
  }

  /** Records one step of the transfer. */
  update(progress: TransferProgress): void {
    if (progress.name === '') return
    if (this.#objects.size === 0) this.#begin()
    const before = this.#objects.get(progress.name)
    this.#objects.set(progress.name, progress)
    if (moving.has(progress.event)) this.#moved.set(progress.name, progress.progress)
    if (this.#output.isTTY || before?.event === progress.event) return
    this.#output.write(`${printable(progress.name)}: ${printable(progress.event)}\n`)
  }

  /** Bytes moved so far, as reported. */
  get bytes(): number {
    return [...this.#moved.values()].reduce((sum, bytes) => sum + bytes, 0)
  }

  #begin(): void {
    this.#started = Date.now()
    if (this.#output.isTTY) this.#timer = setInterval(() => this.#draw(), 100).unref()
  }

  #draw(): void {
    // One character less: some terminals begin a new line after the last one.
    const columns = (this.#output.columns || Number.POSITIVE_INFINITY) - 1
    const lines = [...this.#objects.values()].map((object) => renderObject(object, columns))
    lines.push(cut(renderSummary(this.bytes, Date.now() - this.#started), columns))
    const terminal = this.#output as WriteStream
    if (this.#lines > 0) moveCursor(terminal, 0, -this.#lines)
    terminal.cursorTo(0)
    clearScreenDown(terminal)
    this.#output.write(`${lines.join('\n')}\n`)
    this.#lines = lines.length
  }

  [Symbol.dispose](): void {
    if (this.#ended) return
    this.#ended = true
    clearInterval(this.#timer)
    // Without objects it failed before it began.
    if (this.#objects.size === 0) return
    if (this.#output.isTTY) this.#draw()
    else this.#output.write(`${renderSummary(this.bytes, Date.now() - this.#started)}\n`)
  }
}

/** One line of at most so many characters; without a bar where there is no room for one. */
function renderObject({ name, event, progress, total }: TransferProgress, columns: number): string {
  const { bar, name: names } = widths
  const barWidth = clamp(columns - otherWidth - names.least, bar.least, bar.most)
  const nameWidth = clamp(columns - otherWidth - barWidth, names.least, names.most)
  const label = cut(`${printable(name)}:`, nameWidth).padEnd(nameWidth)
  const head = `${label} ${printable(event).padEnd(15)}`
  if (columns < otherWidth + bar.least + names.least) return cut(head, columns)
  if (done.has(event)) return `${head} |${'+'.repeat(barWidth)}|`
  if (total === 0) return cut(head, columns)
  const filled = Math.min(barWidth, Math.floor((progress / total) * barWidth))
  const drawn = `\u001b[32m${'+'.repeat(filled)}\u001b[0m${'-'.repeat(barWidth - filled)}`
  return `${head} |${drawn}| ${formatBinarySize(progress)}/${formatBinarySize(total)}`
}

const clamp = (value: number, least: number, most: number) => Math.max(least, Math.min(most, value))

/** The beginning of a text, if it is longer than it may be. */
const cut = (text: string, length: number) =>
  text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`

function renderSummary(bytes: number, milliseconds: number): string {
  const seconds = milliseconds / 1000
  const rate = seconds === 0 ? 0 : bytes / seconds
  return `elapsed: ${seconds.toFixed(1)} s  total: ${formatBinarySize(bytes)} (${formatBinarySize(rate)}/s)`
}
