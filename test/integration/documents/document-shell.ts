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
}

/** A shell that commands of a document are given to, one block after the other. */
export interface DocumentShell extends AsyncDisposable {
  /**
   * Runs a block.
   *
   * @param shown what it must print; without it each command must succeed
   * @throws with all that was printed
   */
  run(text: string, shown: string | undefined): Promise<void>
}

/** Milliseconds that a block may take. */
const patience = 60_000

export async function openDocumentShell(options: DocumentShellOptions): Promise<DocumentShell> {
  const { within, directory, cwd, env, uid, gid } = options
  await mkdir(directory)
  await chown(directory, uid, gid)
  await chmod(directory, 0o755)
  const identity = ['setpriv', '--reuid', String(uid), '--regid', String(gid), '--init-groups']
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const environment = ['env', '--ignore-environment', '--chdir', cwd, ...variables]
  const [first, ...others] = [...within, ...identity, ...environment, 'bash', '-c', loop]
  const child = spawn(first!, others, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
  const ended = once(child, 'exit')
  let said = ''
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  let count = 0
  return {
    async run(text, shown) {
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
      while (!said.includes('done\n')) {
        if (child.exitCode !== null) await fail('a command has failed')
        if (performance.now() > until) await fail(`not ended after ${patience} ms`)
        await Promise.race([ended, delay(20)])
      }
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
