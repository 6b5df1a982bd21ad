/** The FIFOs of a process; empty where it has none. */
export interface FifoPaths {
  readonly stdin: string
  readonly stdout: string
  readonly stderr: string
}

/** The paths that are FIFOs, each once. */
export function fifosOf({ stdin, stdout, stderr }: FifoPaths): string[] {
  return [...new Set([stdin, stdout, stderr])].filter((path) => path.startsWith('/'))
}
