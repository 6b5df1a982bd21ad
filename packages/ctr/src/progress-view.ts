import { clearScreenDown, moveCursor } from 'node:readline'
import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import type { TransferProgress } from '@nsbox/core/transfer'
import { printable } from '@nsbox/errors'
import { formatBinarySize } from './format-size.ts'

/** Width of a bar, its ends not counted (docs/behaviour.md §10). */
const barWidth = 40

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
  readonly #started = Date.now()
  readonly #objects = new Map<string, TransferProgress>()
  /** Bytes moved of each object. */
  readonly #moved = new Map<string, number>()
  #lines = 0
  #ended = false
  #timer: NodeJS.Timeout | undefined

  constructor(output: ProgressOutput = process.stdout) {
    this.#output = output
    if (output.isTTY) this.#timer = setInterval(() => this.#draw(), 100).unref()
  }

  /** Records one step of the transfer. */
  update(progress: TransferProgress): void {
    if (progress.name === '') return
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

  #draw(): void {
    const lines = [...this.#objects.values()].map(renderObject)
    lines.push(renderSummary(this.bytes, Date.now() - this.#started))
    const terminal = this.#output as WriteStream
    if (this.#lines > 0) moveCursor(terminal, 0, -this.#lines)
    terminal.cursorTo(0)
    clearScreenDown(terminal)
    this.#output.write(`${lines.join('\n')}\n`)
    this.#lines = lines.reduce((sum, line) => sum + countLines(line, this.#output.columns), 0)
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

/** How many lines of a terminal a text takes; one if the width is unknown. */
function countLines(text: string, columns: number | undefined): number {
  if (columns === undefined || columns === 0) return 1
  return Math.max(1, Math.ceil(stripVTControlCharacters(text).length / columns))
}

function renderObject({ name, event, progress, total }: TransferProgress): string {
  const label = `${printable(name)}:`.padEnd(80)
  const state = printable(event).padEnd(15)
  if (done.has(event)) return `${label} ${state} |${'+'.repeat(barWidth)}|`
  if (total === 0) return `${label} ${state}`
  const filled = Math.min(barWidth, Math.floor((progress / total) * barWidth))
  const bar = `\u001b[32m${'+'.repeat(filled)}\u001b[0m${'-'.repeat(barWidth - filled)}`
  return `${label} ${state} |${bar}| ${formatBinarySize(progress)}/${formatBinarySize(total)}`
}

function renderSummary(bytes: number, milliseconds: number): string {
  const seconds = milliseconds / 1000
  const rate = seconds === 0 ? 0 : bytes / seconds
  return `elapsed: ${seconds.toFixed(1)} s  total: ${formatBinarySize(bytes)} (${formatBinarySize(rate)}/s)`
}
