import { chmod, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { collectsWhenAsked, removeCgroup, run, startContainerd, stockCtr } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { documentedDifferences } from './command-matrix/documented.ts'
import { lineDifference } from './command-matrix/line-difference.ts'
import { normalising } from './command-matrix/normalised.ts'
import { scenarios } from './command-matrix/scenarios.ts'
import { callsIn, stockCommands } from './command-matrix/stock-commands.ts'
import { openSurroundings, type Surroundings } from './command-matrix/surroundings.ts'
import { commandsOf, type Step, transcript } from './command-matrix/transcript.ts'
import { startServer } from './programs.ts'

/** A daemon that is compared. */
interface Daemon {
  readonly name: 'nsbox' | 'containerd'
  readonly address: string
  /** What is called differently for it, by what to write instead. */
  readonly names: Readonly<Record<string, string>>
}

describeWith(
  { root: true, programs: ['containerd', 'ctr', 'runc', 'criu', 'busybox', 'docker-registry', 'skopeo'] },
  'stock ctr, against nsbox-server and containerd',
  () => {
    const resources = new AsyncDisposableStack()
    let documented: ReadonlyMap<string, readonly string[]>
    let surroundings: Surroundings
    let containerd: Daemon
    let nsbox: Daemon

    beforeAll(async () => {
      documented = await documentedDifferences()
      surroundings = resources.use(await openSurroundings())
      const stock = resources.use(await startContainerd({ settings: collectsWhenAsked }))
      const server = resources.use(await startServer())
      // Who runs in a user namespace goes through the directories of both.
      for (const { address } of [stock, server]) await chmod(dirname(address), 0o711)
      containerd = {
        name: 'containerd',
        address: stock.address,
        names: {
          [`${stock.root}/io.containerd.snapshotter.v1.`]: '$SNAPSHOTTERS/',
          [stock.root]: '$DATA',
          [join(dirname(stock.address), 'state')]: '$STATE',
        },
      }
      nsbox = {
        name: 'nsbox',
        address: server.address,
        names: {
          [`${server.root}/snapshots/`]: '$SNAPSHOTTERS/',
          [server.root]: '$DATA',
          [server.state]: '$STATE',
        },
      }
    })
    afterAll(() => resources.disposeAsync())

    /** What a scenario shows of a daemon; nothing is left of it. @param time of the same scenario */
    async function transcriptOf(daemon: Daemon, scenario: string, time = 1): Promise<Step[]> {
      const namespace = `${daemon.name}-${scenario.replaceAll(' ', '-')}-${time}`
      await using left = new AsyncDisposableStack()
      left.defer(() => removeCgroup(namespace))
      left.defer(() => removeTasks(daemon.address, namespace))
      const directory = join(surroundings.directory, namespace)
      await mkdir(directory)
      // What a scenario that failed has left mounted; mostly there is nothing.
      left.defer(async () => {
        await run('/bin/umount', [join(directory, 'target')])
      })
      const variables = {
        ...surroundings.variables,
        REPOSITORY: `${surroundings.registry}/pushed/${namespace}`,
        NAMESPACE: namespace,
      }
      const env = {
        ...variables,
        CONTAINERD_ADDRESS: daemon.address,
        CONTAINERD_NAMESPACE: namespace,
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
        LC_ALL: 'C',
      }
      const names = new Map<string, string>([
        [variables.REPOSITORY, '$REPOSITORY'],
        [directory, '$PWD'],
        [daemon.address, '$CONTAINERD_ADDRESS'],
        ...Object.entries(daemon.names),
        ...Object.entries(variables).map(([name, value]): [string, string] => [value, `$${name}`]),
        [surroundings.directory, '$DIRECTORY'],
      ])
      return await transcript(commandsOf(scenarios[scenario]!), { directory, env }, normalising(names))
    }

    /** Commands of which the daemons show another difference than is documented. */
    function undocumented(theirs: readonly Step[], ours: readonly Step[]) {
      return theirs.flatMap(({ command, lines }, index) => {
        const difference = lineDifference(lines, ours[index]!.lines)
        const known = documented.get(command) ?? []
        return difference.join('\n') === known.join('\n') ? [] : [{ command, difference, known }]
      })
    }

    it.each(Object.keys(scenarios))(
      'shows the same of both but for what is documented: %s',
      { timeout: 120_000 },
      async (scenario) => {
        const [theirs, ours] = await Promise.all([
          transcriptOf(containerd, scenario),
          transcriptOf(nsbox, scenario),
        ])
        const different = undocumented(theirs, ours)
        if (different.length === 0) return
        // Once in a while containerd loses the output of a command, or refuses an id that has just become free.
        expect(undocumented(await transcriptOf(containerd, scenario, 2), ours)).toEqual([])
      },
    )

    it('documents no difference of a command that is not tried', () => {
      const tried = new Set(Object.values(scenarios).flatMap(commandsOf))
      expect([...documented.keys()].filter((command) => !tried.has(command))).toEqual([])
    })

    it('tries every command of stock ctr with every option', async () => {
      const calls = Object.values(scenarios).flatMap(commandsOf).flatMap(callsIn)
      const missing = (await stockCommands()).flatMap(({ words, options }) => {
        const name = words.map(([first]) => first).join(' ')
        const own = calls.filter((call) => isCallOf(call, words))
        if (own.length === 0) return [name]
        return options
          .filter((names) => !own.some((call) => names.some((option) => call.includes(option))))
          .map(([option]) => `${name} ${option}`)
      })
      expect(missing).toEqual([])
    })
  },
)

/** Whether a call of `ctr` is of a command; options may come before each word of it. */
function isCallOf(call: readonly string[], words: readonly (readonly string[])[]): boolean {
  const positions = words.map((names) => call.findIndex((word) => names.includes(word)))
  return positions.every((position, index) => position > (positions[index - 1] ?? -1))
}

async function removeTasks(address: string, namespace: string): Promise<void> {
  const { stdout } = await stockCtr(address, namespace, ['tasks', 'ls', '-q'])
  const left = stdout.split('\n').filter((id) => id !== '')
  if (left.length > 0) await stockCtr(address, namespace, ['tasks', 'rm', '--force', ...left])
}
