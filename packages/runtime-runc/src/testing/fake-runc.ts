import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The fault of a command of the fake. */
export type RuncFault =
  /** Fails with this message, without doing anything. */
  | { readonly fail: string }
  /** Does its work and fails nevertheless. */
  | { readonly failAfter: string }
  /** Never ends, before or after its work. */
  | { readonly hang: 'before' | 'after' }
  /** Does its work, and ends this many seconds later. */
  | { readonly late: number }
  /** Succeeds without doing anything, and prints this. */
  | { readonly lie: string }
  /** Is killed, before or after its work. */
  | { readonly die: 'before' | 'after' }

/** A program that runs the real runc, except for commands with a fault. */
export interface FakeRunc {
  /** The path of the program. */
  readonly binary: string
  /** Sets the fault of a command; undefined removes it. `version` stands for `--version`. */
  set(command: string, fault: RuncFault | undefined): Promise<void>
  /** The commands so far, in order of their beginning. */
  calls(): Promise<string[]>
  /** Commands that hang now. */
  hanging(): Promise<string[]>
}

const script = (directory: string, real: string) => `#!/bin/sh
here='${directory}'
command=
log=
value=
for argument; do
  case "$value" in
    log) log=$argument; value=; continue ;;
    other) value=; continue ;;
  esac
  case "$argument" in
    --log) value=log ;;
    --root|--log-format|--criu|--rootless) value=other ;;
    --version) command=version; break ;;
    -*) ;;
    *) command=$argument; break ;;
  esac
done
echo "$command" >> "$here/calls"
fault="$here/$command"
[ -e "$fault/kind" ] || exec '${real}' "$@"
read -r kind < "$fault/kind"
complain() {
  if [ -n "$log" ]; then cat "$fault/text" >> "$log"; else cat "$fault/text" >&2; fi
  exit 1
}
case "$kind" in
  *-after) '${real}' "$@" ;;
esac
case "$kind" in
  fail-*) complain ;;
  late-*) sleep "$(cat "$fault/text")" ;;
  hang-*) echo "$command" >> "$here/hanging"; exec sleep 100000 ;;
  die-*) kill -KILL $$ ;;
  lie) cat "$fault/text" ;;
esac
`

/**
 * Writes the program to an existing directory, which has its own files only.
 * @param real a path, or a name to look for
 */
export async function fakeRunc(directory: string, real = 'runc'): Promise<FakeRunc> {
  const binary = join(directory, 'runc')
  const recorded = async (name: string) =>
    (await readFile(join(directory, name), 'utf8')).split('\n').filter((line) => line !== '')
  for (const name of ['calls', 'hanging']) await writeFile(join(directory, name), '')
  await writeFile(binary, script(directory, real))
  await chmod(binary, 0o755)
  return {
    binary,
    async set(command, fault) {
      const place = join(directory, command)
      await rm(place, { recursive: true, force: true })
      if (fault === undefined) return
      // A call meanwhile sees all of it or nothing.
      const unfinished = `${place}.unfinished`
      await mkdir(unfinished)
      const { kind, text } = described(fault)
      await writeFile(join(unfinished, 'kind'), `${kind}\n`)
      await writeFile(join(unfinished, 'text'), text)
      await rename(unfinished, place)
    },
    calls: () => recorded('calls'),
    hanging: () => recorded('hanging'),
  }
}

function described(fault: RuncFault): { kind: string; text: string } {
  const line = (msg: string) => `${JSON.stringify({ level: 'error', msg, time: '2020-01-01T00:00:00Z' })}\n`
  if ('fail' in fault) return { kind: 'fail-before', text: line(fault.fail) }
  if ('failAfter' in fault) return { kind: 'fail-after', text: line(fault.failAfter) }
  if ('hang' in fault) return { kind: `hang-${fault.hang}`, text: '' }
  if ('late' in fault) return { kind: 'late-after', text: String(fault.late) }
  if ('die' in fault) return { kind: `die-${fault.die}`, text: '' }
  return { kind: 'lie', text: fault.lie }
}
