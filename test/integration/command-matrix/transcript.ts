import { run } from '@nsbox/testing'

/** A line of a scenario, with what became of it. */
export interface Step {
  readonly command: string
  /** What it wrote to standard output, to standard error, and how it ended unless that was well, as lines. */
  readonly lines: readonly string[]
}

/** What `scenarios` may use besides programs. */
const functions = `
patiently() {
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ]; then echo never; return 1; fi
    sleep 0.05
  done
}
status() { ctr tasks ls | sed -E 's/ +[0-9]+ +/ some /' | grep "$1"; }
collect() { ctr leases delete --sync $(ctr leases create) >collected; }
last() { "$@" 2>&1 | tail -n 1; }
seen() { ctr ns c $NAMESPACE-$1; ctr ns rm $NAMESPACE-$1; sleep 0.1; grep -q $NAMESPACE-$1 events; }
hidden='s/extract-[0-9]+-..../extract/; s/"pid":[0-9]+/"pid":some/; s/"seconds":[0-9]+,"nanos":[0-9]+/some/;
  s/"bundle":"[^"]*"/"bundle":some/; s/"rootfs":[^]]*]}]/"rootfs":some/; s/"io":[{][^}]*[}]/"io":some/'
`

/** The commands of a scenario. */
export function commandsOf(scenario: string): string[] {
  return scenario
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/**
 * Types commands into a shell, one after the other.
 *
 * @param normalised applied to each output
 */
export async function transcript(
  commands: readonly string[],
  { directory, env }: { readonly directory: string; readonly env: Readonly<Record<string, string>> },
  normalised: (text: string) => string,
): Promise<Step[]> {
  const steps: Step[] = []
  for (const command of commands) {
    const { code, signal, stdout, stderr } = await run('/bin/sh', ['-c', `${functions}${command}`], {
      cwd: directory,
      env,
    })
    const end = code === 0 ? '' : `exit ${code ?? signal}`
    const lines = [stdout, stderr, end].flatMap((text) => normalised(text).split('\n'))
    // How much progress is shown before a failure depends on the time until then.
    const passing = (line: string) => end !== '' && line.startsWith('progress of ')
    steps.push({ command, lines: lines.filter((line) => line !== '' && !passing(line)) })
  }
  return steps
}
