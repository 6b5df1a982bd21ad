/** One request that a registry answered. */
export interface AccessLogEntry {
  readonly method: string
  /** The path with its query, as sent. */
  readonly path: string
  readonly status: number
  /** Bytes of the answer's body that were sent; fewer than its length if the client disconnected. */
  readonly bytes: number
  readonly userAgent: string
}

// The combined log format: address - user [time] "METHOD path protocol" status bytes "referrer" "agent".
const line =
  /^\S+ \S+ .+? \[[^\]]+\] "(\S+) (\S+) [^"]*" (\d{3}) (\d+) "(?:[^"\\]|\\.)*" "((?:[^"\\]|\\.)*)"$/

/** Reads an access log in the combined format. @throws for any other line */
export function parseAccessLog(text: string): AccessLogEntry[] {
  return text
    .split('\n')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const match = line.exec(entry)
      if (!match) throw new Error(`not a line of an access log: ${entry}`)
      const [, method, path, status, bytes, userAgent] = match
      return {
        method: method!,
        path: path!,
        status: Number(status),
        bytes: Number(bytes),
        userAgent: userAgent!,
      }
    })
}
