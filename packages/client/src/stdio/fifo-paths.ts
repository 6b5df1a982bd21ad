/** The FIFOs of a process; empty for those that it does without. */
export interface FifoPaths {
  readonly stdin: string
  readonly stdout: string
  readonly stderr: string
}

/** Those that there are. */
export function fifosOf({ stdin, stdout, stderr }: FifoPaths): string[] {
  // Output may be one FIFO for both streams.
  return [...new Set([stdin, stdout, stderr])].filter((path) => path.startsWith('/'))
}
