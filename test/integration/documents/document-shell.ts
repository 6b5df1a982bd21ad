import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { matchesOutput } from './matches-output.ts'

/** Runs each file that it is told of in this very shell, so that what one sets or starts is there for the next. */
const loop = `
set -o pipefail
while IFS= read -r file <&3; do
  case $file in *.shown) set +e ;; *) set -e ;; esac
  . "$file" > "$file.out" 2>&1 < /dev/null 3<&-
  echo done
done
`

/** What starts a shell. */
export interface DocumentShellOptions {
  /** The program and its arguments that start another program where the shell is to be. */
  readonly within: readonly string[]
  /** For files of the shell's; made by it. */
  readonly directory: string
  /** Where the shell is at first. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Whose shell it is. */
  readonly uid: number
  readonly gid: number
  /** Commands that the shell runs first; none by default. */
  readonly first?: string
}

/** A shell that commands of a document are given to, one block after the other. */
export interface DocumentShell extends AsyncDisposable {
  /**
   * Runs a block.
   *
   * @param shown what it must print; without it each command must succeed
   * @param patience milliseconds that it may take
   * @throws with all that was printed
   */
  run(text: string, shown: string | undefined, patience?: number): Promise<void>
}

/** Milliseconds that a block may take by default. */
const usualPatience = 120_000

export async function openDocumentShell(options: DocumentShellOptions): Promise<DocumentShell> {
  const { within, directory, cwd, env, uid, gid, first: preamble = '' } = options
  await mkdir(directory)
  await chown(directory, uid, gid)
  await chmod(directory, 0o755)
  const identity = ['setpriv', '--reuid', String(uid), '--regid', String(gid), '--init-groups']
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const environment = ['env', '--ignore-environment', '--chdir', cwd, ...variables]
  const [first, ...others] = [...within, ...identity, ...environment, 'bash', '-c', preamble + loop]
  const child = spawn(first!, others, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
  const ended = once(child, 'exit')
  let said = ''
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  /** Waits until the block has ended, and tells whether it has. */
  const told = (patience: number) =>
    new Promise<boolean>((resolve) => {
      const settle = (ended: boolean) => {
        clearTimeout(timer)
        child.stdout!.off('data', look)
        child.off('close', look)
        resolve(ended)
      }
      const look = () => {
        if (said.includes('done\n')) settle(true)
        else if (child.exitCode !== null) settle(false)
      }
      const timer = setTimeout(() => settle(false), patience)
      child.stdout!.on('data', look)
      child.on('close', look)
      look()
    })
  let count = 0
  return {
    async run(text, shown, patience = usualPatience) {
      count += 1
      const file = join(directory, `${count}${shown === undefined ? '' : '.shown'}`)
      await writeFile(file, text)
      said = ''
      ;(child.stdio[3] as NodeJS.WritableStream).write(`${file}\n`)
      const printed = async () => await readFile(`${file}.out`, 'utf8').catch(() => '')
      const until = performance.now() + patience
      const fail = async (why: string) => {
        const wanted = shown === undefined ? '' : `\n--- shown:\n${shown}`
        throw new Error(`${why}:\n${text}--- printed:\n${await printed()}${said}${wanted}`)
      }
      if (!(await told(patience)))
        await fail(child.exitCode === null ? `not ended after ${patience} ms` : 'a command has failed')
      if (shown === undefined) return
      // What runs in the background prints when it comes to it.
      while (!matchesOutput(await printed(), shown)) {
        if (!/&$/m.test(text) || performance.now() > until) await fail('the output is another')
        await delay(100)
      }
    },
    [Symbol.asyncDispose]: () => endShell(child, ended),
  }
}

/** What it has started in the background goes on. */
async function endShell(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  ;(child.stdio[3] as NodeJS.WritableStream).end()
  const abandoned = setTimeout(() => child.kill('SIGKILL'), 10_000)
  if (child.exitCode === null && child.signalCode === null) await ended
  clearTimeout(abandoned)
}
