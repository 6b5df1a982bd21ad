/** What becomes of a process's standard streams. */
export interface StdioOptions {
  /** Whether there is a stream to write its input to; by default its input is empty. */
  readonly stdin?: boolean | undefined
  /**
   * Its output: `pipe` for streams to read, the default; `ignore`; or a URI that the server writes it to,
   * `file:///path`, `binary:///program?argument` or `binary-v2:///…`, without any streams here.
   */
  readonly output?: 'pipe' | 'ignore' | (string & {}) | undefined
  /** Directory for the FIFOs between this process and the server; `fifo` beside the default socket by default. */
  readonly fifoDirectory?: string | undefined
}
