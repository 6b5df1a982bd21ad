import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Writable } from 'node:stream'
import { runOrThrow } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { checkoutPlace, openPrivateHost } from '../documents/private-host.ts'
import { writeDaemonProgram } from './daemon-program.ts'
import { type Outcome, outcomes } from './outcomes.ts'
import { openSuiteRegistry, suiteRegistries } from './suite-registry.ts'
import { buildSuite } from './suite-sources.ts'

/** containerd's suite on a host of its own, where `containerd` is nsbox-server. Disposing of it ends all of it. */
export interface Suite extends AsyncDisposable {
  /** Names of the tests. */
  readonly tests: readonly string[]
  /** Runs them. @param file what all output is appended to, that of the daemon included */
  run(file: string): AsyncGenerator<Outcome, void, undefined>
}

/**
 * @param pattern a regular expression for names of tests
 * @param options.signal ends the suite early, with all that it runs
 */
export async function openSuite(pattern: string, { signal }: { signal: AbortSignal }): Promise<Suite> {
  await using opening = new AsyncDisposableStack()
  const registry = opening.use(await openSuiteRegistry())
  const host = opening.use(await openPrivateHost({ names: suiteRegistries, authority: registry.authority }))
  opening.use(await registry.serve(host))
  const place = (name: string) => join(host.directory, name)
  for (const name of ['programs', 'sources']) await mkdir(place(name))
  await buildSuite(place('sources'), place('programs'))
  await writeDaemonProgram(place('programs'), join(checkoutPlace, 'node_modules/.bin/nsbox-server'))
  const env = {
    PATH: [place('programs'), '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'].join(':'),
    // A directory of the private host, short enough for the sockets below it.
    TMPDIR: '/srv',
    HOME: '/root',
    LANG: 'C.UTF-8',
  }
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const [program, ...args] = [...host.within, 'env', '-i', '-C', '/', ...variables, 'client.test']
  // Without the short form it would start a daemon even for the list.
  const { stdout } = await runOrThrow(program!, [...args, '-test.short', '-test.list', pattern])
  signal.throwIfAborted()
  const owned = opening.move()
  signal.addEventListener('abort', () => void owned.disposeAsync())
  return {
    tests: stdout.split('\n').filter((line) => line.startsWith('Test')),
    async *run(file) {
      const log = createWriteStream(file, { flags: 'a' })
      const options = ['-test.root', '-test.v=test2json', '-test.timeout=40m', '-test.run', pattern]
      const child = spawn(program!, [...args, ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
      const ended = once(child, 'close')
      child.stderr.pipe(log, { end: false })
      yield* outcomes(written(createInterface(child.stdout), log))
      await ended
      log.end()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function* written(lines: AsyncIterable<string>, log: Writable) {
  for await (const line of lines) {
    log.write(`${line}\n`)
    yield line
  }
}
