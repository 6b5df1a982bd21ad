import { text } from 'node:stream/consumers'
import { type ClientView, endTask, removeContainer, type TaskHandle } from '@nsbox/client'
import { isNotFound, undefinedIf } from '@nsbox/errors'
import type { Account } from './consequences.ts'
import { describe, isCutOff } from './cut-off-calls.ts'
import type { Kills } from './kills.ts'
import type { Random } from './random.ts'

/** How often each operation comes, relative to the others. */
const weights = {
  'run to its end': 6,
  'run several at once': 2,
  start: 5,
  exec: 6,
  kill: 3,
  'pause or resume': 2,
  fork: 1,
  pull: 3,
  'remove image': 2,
  prune: 1,
  collect: 1,
}

type Operation = keyof typeof weights

/** Most containers that run at a time in a namespace. */
const mostRunning = 6

/** A container that runs, as far as its owner knows. */
interface Resident {
  readonly pid: number
  readonly image: string
  isPaused: boolean
}

/** What an operation was about to change, and may or may not have changed if it was cut off. */
interface Uncertain {
  readonly containers: Set<string>
  readonly images: Set<string>
}

/** What an inhabitant lives in. */
export interface Surroundings {
  /** For the namespace that is its alone. */
  readonly client: ClientView
  readonly kills: Kills
  readonly account: Account
  readonly random: Random
  /** References of images in a registry. */
  readonly references: readonly string[]
  readonly fifoDirectory: string
  /** Where memory of containers lies while they are forked. */
  readonly forkDirectory: string
}

/** A client that does things at random in a namespace, one after the other, and knows what must be there. */
export class Inhabitant implements AsyncDisposable {
  readonly #around: Surroundings
  readonly #residents = new Map<string, Resident>()
  #images = new Set<string>()
  /** Execs whose end its calls did not live to see, by their ids, with those of their containers. */
  readonly #lostExecs = new Map<string, string>()
  #count = 0
  #lookedAt = 0

  constructor(around: Surroundings) {
    this.#around = around
  }

  /** Does one thing at random. */
  async act(): Promise<void> {
    const { random } = this.#around
    const operation = this.#possible(random.weighted(weights))
    await this.#attempt(operation, (uncertain) => this.#do(operation, uncertain))
  }

  /** Removes all that it has. Afterwards the namespace is empty. */
  async leave(): Promise<void> {
    const { client } = this.#around
    for (const id of [...this.#residents.keys()]) await this.#attempt('kill', (it) => this.#kill(id, it))
    for (const name of [...this.#images])
      await this.#attempt('remove image', (it) => this.#removeImage(name, it))
    await this.#attempt('collect', () => client.disk.collect())
    // A call that was cut off for another may have left things that nobody has looked at.
    await this.#attempt('look', (it) => this.#look(it))
    await this.#attempt('collect', () => client.disk.collect())
    const objects: string[] = []
    for await (const { kind, id } of client.disk.objects()) objects.push(`${kind} ${id}`)
    if (objects.length > 0) this.#fault('leave', `left in an empty namespace: ${objects.join(', ')}`)
  }

  /** Ends and removes whatever is left after a failure, too. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#residents.clear()
    await this.#look({ containers: new Set(), images: this.#images })
  }

  /** @returns another operation for one that needs what is not there */
  #possible(operation: Operation): Operation {
    if (operation === 'start' && this.#residents.size >= mostRunning) return 'kill'
    const running = [...this.#residents.values()].filter(({ isPaused }) => !isPaused).length
    if ((operation === 'exec' || operation === 'fork') && running === 0) return 'start'
    if (operation === 'fork' && this.#residents.size + 2 > mostRunning) return 'kill'
    if ((operation === 'kill' || operation === 'pause or resume') && this.#residents.size === 0)
      return 'start'
    if (operation === 'remove image' && this.#images.size === 0) return 'pull'
    return operation
  }

  async #do(operation: Operation, uncertain: Uncertain): Promise<void> {
    const { client, random, references } = this.#around
    switch (operation) {
      case 'run to its end':
        return await this.#run(random.pick(references), uncertain)
      case 'run several at once': {
        const runs = Array.from({ length: 2 + random.below(3) }, () =>
          this.#run(random.pick(references), uncertain),
        )
        // One that failed must not leave others behind that go on.
        await Promise.allSettled(runs)
        return void (await Promise.all(runs))
      }
      case 'start':
        return await this.#start(random.pick(references), uncertain)
      case 'exec':
        return await this.#exec(this.#running())
      case 'kill':
        return await this.#kill(random.pick([...this.#residents.keys()]), uncertain)
      case 'pause or resume':
        return await this.#pauseOrResume(random.pick([...this.#residents.keys()]), uncertain)
      case 'fork':
        return await this.#fork(this.#running(), uncertain)
      case 'pull':
        return await this.#pull(random.pick(references), uncertain)
      case 'remove image':
        return await this.#removeImage(random.pick([...this.#images]), uncertain)
      case 'prune': {
        const used = new Set([...this.#residents.values()].map(({ image }) => image))
        const unused = [...this.#images].filter((name) => !used.has(name))
        for (const name of unused) uncertain.images.add(name)
        const { images } = await client.disk.prune()
        this.#expect(operation, [...images].sort(), unused.sort())
        for (const name of images) this.#images.delete(name)
        return
      }
      case 'collect':
        return await client.disk.collect()
    }
  }

  /** Tries something. What it fails by is a fault, unless a kill explains it. */
  async #attempt(operation: string, work: (uncertain: Uncertain) => Promise<void>): Promise<void> {
    const { account, kills } = this.#around
    const uncertain: Uncertain = { containers: new Set(), images: new Set() }
    const began = performance.now()
    account.done(operation)
    try {
      if (kills.struckSince(this.#lookedAt)) await this.#look({ containers: new Set(), images: new Set() })
      await work(uncertain)
    } catch (error) {
      const isExplained = kills.struckSince(began) && isCutOff(error)
      if (isExplained) account.suffered('call cut off')
      else this.#fault(operation, describe(error))
      await this.#lookUntilServed(operation, uncertain)
    }
  }

  /** Looks again for as long as that is cut off as well. */
  async #lookUntilServed(operation: string, uncertain: Uncertain): Promise<void> {
    const { kills } = this.#around
    for (;;) {
      const began = performance.now()
      try {
        await this.#look(uncertain)
        return
      } catch (error) {
        if (kills.struckSince(began) && isCutOff(error)) continue
        return this.#fault(operation, `what it left: ${describe(error)}`)
      }
    }
  }

  /** Compares what must be there with what is, and removes what cut-off calls have left. */
  async #look(uncertain: Uncertain): Promise<void> {
    const { client, kills, account } = this.#around
    await kills.settled()
    const began = performance.now()
    const tasks = new Map((await client.tasks.list()).map((task) => [task.containerId, task]))
    for (const [id, resident] of this.#residents) {
      const task = tasks.get(id)
      const isPaused = task?.status === 'paused'
      if (uncertain.containers.has(id)) {
        if (task?.pid !== resident.pid || task.status === 'stopped') this.#residents.delete(id)
        else if (resident.isPaused !== isPaused) {
          account.suffered('left paused')
          resident.isPaused = isPaused
        }
        continue
      }
      const expected = { pid: resident.pid, status: resident.isPaused ? 'paused' : 'running' }
      this.#expect('look', task && { pid: task.pid, status: task.status }, expected)
      if (task?.pid !== resident.pid) this.#residents.delete(id)
    }
    for (const [execId, id] of this.#lostExecs) {
      await this.#endExec(id, execId)
      this.#lostExecs.delete(execId)
    }
    for (const id of tasks.keys()) {
      if (this.#residents.has(id)) continue
      account.suffered('half made')
      const task = await undefinedIf(isNotFound, client.container(id).task())
      if (task) await undefinedIf(isNotFound, endTask(task))
    }
    for await (const container of client.containers.list()) {
      if (this.#residents.has(container.id)) continue
      account.suffered('half made')
      await removeContainer(client, container)
    }
    for await (const { name, kind } of client.snapshotter().list()) {
      if (kind === 'committed' || this.#residents.has(name)) continue
      account.suffered('half made')
      await undefinedIf(isNotFound, client.snapshotter().remove(name))
    }
    await this.#lookAtImages(uncertain)
    for (const { id } of await client.leases.list()) {
      account.suffered('lease left')
      await undefinedIf(isNotFound, client.leases.delete(id))
    }
    this.#lookedAt = began
  }

  async #lookAtImages(uncertain: Uncertain): Promise<void> {
    const found = new Set((await this.#around.client.images.list()).map(({ name }) => name))
    const missing = [...this.#images].filter((name) => !found.has(name) && !uncertain.images.has(name))
    this.#expect('look', missing, [])
    this.#images = found
  }

  async #run(image: string, uncertain: Uncertain): Promise<void> {
    const { client, random, fifoDirectory, kills, account } = this.#around
    const [id, word, status] = [this.#id(), random.below(1e9), random.below(100)]
    uncertain.images.add(image)
    const began = performance.now()
    const args = ['sh', '-c', `echo out ${word}; echo err ${word} >&2; exit ${status}`]
    const result = await client.run({ id, image, args, fifoDirectory })
    this.#images.add(image)
    const expected = { exitStatus: status, stdout: `out ${word}\n`, stderr: `err ${word}\n` }
    if (!kills.bothStruckSince(began)) return this.#expect('run to its end', result, expected)
    if (result.exitStatus === 255) account.suffered('status unknown')
    else this.#expect('run to its end', result.exitStatus, status)
    for (const stream of ['stdout', 'stderr'] as const) {
      if (result[stream] !== expected[stream]) account.suffered('output lost')
      this.#expect('run to its end', expected[stream].startsWith(result[stream]), true)
    }
  }

  async #start(image: string, uncertain: Uncertain): Promise<void> {
    const { client, fifoDirectory } = this.#around
    const id = this.#id()
    uncertain.images.add(image)
    // CRIU interrupts calls that wait for a time, so that a mere `sleep` ends when it is forked.
    const container = await client.create({ id, image, args: ['sh', '-c', 'while :; do sleep 1000; done'] })
    this.#images.add(image)
    await using task = await container.createTask({ output: 'ignore', fifoDirectory })
    const { pid } = await task.start()
    this.#residents.set(id, { pid, image, isPaused: false })
  }

  async #exec(id: string): Promise<void> {
    const { client, random, fifoDirectory, kills, account } = this.#around
    const [word, status] = [random.below(1e9), random.below(100)]
    const began = performance.now()
    await using task = await client.container(id).task()
    const args = ['sh', '-c', `echo ${word}; exit ${status}`]
    const execId = this.#id()
    this.#lostExecs.set(execId, id)
    await using exec = await task.exec({ args, execId, fifoDirectory })
    const output = text(exec.stdout!)
    // Its error, if there is one, comes from the calls below as well.
    output.catch(() => undefined)
    await exec.start()
    const { exitStatus } = await exec.finished()
    await exec.delete()
    this.#lostExecs.delete(execId)
    const result = { exitStatus, output: await output }
    if (!kills.bothStruckSince(began))
      return this.#expect('exec', result, { exitStatus: status, output: `${word}\n` })
    if (exitStatus === 255) account.suffered('status unknown')
    else this.#expect('exec', exitStatus, status)
    if (result.output !== `${word}\n`) account.suffered('output lost')
  }

  /** Ends an exec and removes it with its FIFOs, if it is there. */
  async #endExec(id: string, execId: string): Promise<void> {
    const task = await undefinedIf(isNotFound, this.#around.client.container(id).task())
    const exec = await undefinedIf(isNotFound, task?.process(execId) ?? Promise.resolve(undefined))
    if (exec === undefined) return
    this.#around.account.suffered('half made')
    const { status } = await exec.status()
    if (status === 'running') await undefinedIf(isNotFound, exec.kill('SIGKILL'))
    if (status !== 'created') await exec.finished()
    await exec.delete()
  }

  async #kill(id: string, uncertain: Uncertain): Promise<void> {
    const { client, kills, account } = this.#around
    uncertain.containers.add(id)
    const began = performance.now()
    await using task = await client.container(id).task()
    const { exitStatus } = await endTask(task)
    const isUnknown = exitStatus === 255 && kills.bothStruckSince(began)
    if (isUnknown) account.suffered('status unknown')
    else this.#expect('kill', exitStatus, 128 + 9)
    await removeContainer(client, await client.containers.get(id))
    this.#residents.delete(id)
  }

  async #pauseOrResume(id: string, uncertain: Uncertain): Promise<void> {
    const resident = this.#residents.get(id)!
    uncertain.containers.add(id)
    await using task = await this.#around.client.container(id).task()
    if (resident.isPaused) await task.resume()
    else await task.pause()
    resident.isPaused = !resident.isPaused
  }

  async #fork(id: string, uncertain: Uncertain): Promise<void> {
    const { client, forkDirectory, random } = this.#around
    uncertain.containers.add(id)
    const options = { count: 1 + random.below(2), prefix: `${this.#id()}-`, directory: forkDirectory }
    const copies: TaskHandle[] = await client.container(id).fork(options)
    const { image } = this.#residents.get(id)!
    for (const copy of copies) {
      this.#residents.set(copy.containerId, { pid: copy.pid, image, isPaused: false })
      await copy[Symbol.asyncDispose]()
    }
  }

  async #pull(reference: string, uncertain: Uncertain): Promise<void> {
    uncertain.images.add(reference)
    await this.#around.client.pull(reference, { unpack: {} })
    this.#images.add(reference)
  }

  async #removeImage(name: string, uncertain: Uncertain): Promise<void> {
    uncertain.images.add(name)
    await this.#around.client.images.delete(name)
    this.#images.delete(name)
  }

  #running(): string {
    const ids = [...this.#residents].flatMap(([id, { isPaused }]) => (isPaused ? [] : [id]))
    return this.#around.random.pick(ids)
  }

  #id(): string {
    return `${this.#around.client.namespace}-${++this.#count}`
  }

  #expect(operation: string, found: unknown, expected: unknown): void {
    const [is, should] = [JSON.stringify(found), JSON.stringify(expected)]
    if (is !== should) this.#fault(operation, `found ${is} in place of ${should}`)
  }

  #fault(operation: string, message: string): void {
    this.#around.account.fault({ namespace: this.#around.client.namespace, operation, message })
  }
}
