/** One system call. */
export interface SystemCall {
  /** The thread that made it. */
  readonly pid: number
  readonly name: string
  /** As strace writes them; descriptors with their paths: `5</tmp/file>, "abc", 3`. */
  readonly args: string
  /** As strace writes it: `0`, `3</tmp/file>`, `-1 ENOENT (No such file or directory)`. */
  readonly result: string
  /**
   * Positions of its entry and its return in one order of all events: `a` had returned before `b` was entered if and
   * only if `a.returned < b.entered`. The two are equal if nothing was seen in between.
   */
  readonly entered: number
  readonly returned: number
}

const complete = /^(\d+)\s+(\w+)\((.*)\)\s+= ((?:-?\d|\?).*)$/
const unfinished = /^(\d+)\s+(\w+)\((.*) <unfinished \.\.\.>$/
const resumed = /^(\d+)\s+<\.\.\. (\w+) resumed>(.*)\)\s+= ((?:-?\d|\?).*)$/
// `???` stands in place of a call whose thread was killed as it entered it.
const other = /^\d+\s+(---|\+\+\+|<\.\.\. (\w+|\?\?\?) resumed>|\?\?\?\()|<detached \.\.\.>$/

/**
 * Reads the output of `strace --follow-forks --output`, in the order in which the calls returned. Leaves out calls that
 * never returned, signals and exits.
 */
export function parseStrace(text: string): SystemCall[] {
  const calls: SystemCall[] = []
  const open = new Map<string, { args: string; entered: number }>()
  for (const [position, line] of text.split('\n').entries()) {
    const whole = complete.exec(line)
    const begun = unfinished.exec(line)
    const ended = resumed.exec(line)
    if (begun) {
      open.set(begun[1]!, { args: begun[3]!, entered: position })
    } else if (ended) {
      const start = open.get(ended[1]!)
      if (!start) continue
      open.delete(ended[1]!)
      const args = `${start.args}${ended[3]}`
      calls.push(call(ended, args, start.entered, position))
    } else if (whole) {
      calls.push(call(whole, whole[3]!, position, position))
    } else if (line !== '' && !other.test(line)) {
      throw new Error(`not a line of strace: ${line}`)
    }
  }
  return calls
}

function call(match: RegExpExecArray, args: string, entered: number, returned: number): SystemCall {
  return { pid: Number(match[1]), name: match[2]!, args, result: match[4]!, entered, returned }
}
