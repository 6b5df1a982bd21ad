import { basename, dirname, join } from 'node:path'
import { mapConcurrently } from '@nsbox/concurrency'
import type { AbortOptions, GivenPaths, PathUse, PathUses } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import {
  isAtOrBelow,
  isUncovered,
  mountReach,
  PlaceFinder,
  type Places,
  type ReachedPath,
  resolvedForMaking,
} from '@nsbox/mount'
import {
  anyOfOthers,
  type BackingAt,
  backingsAround,
  backingsAt,
  backingsOf,
  backingsWith,
} from './backings-at.ts'
import { dropUnusedBacking, type UseRecord, withoutRows } from './backings-in-use.ts'
import { letAnybodyWrite } from './shareable-snapshot.ts'
import type { SnapshotParts } from './snapshot-parts.ts'

/** Most paths of one use; each takes system calls. */
const maxPaths = 4096

/** How many paths are looked up concurrently; each takes a thread for a while. */
const concurrency = 8

/** The parts for finding the snapshots of uses. */
interface UseParts extends SnapshotParts {
  /** The database's file, without symbolic links. Tasks that may write to it belong to the host's operator. */
  readonly databasePath: string | undefined
}

/** Registers the paths of tasks, so that their snapshots stay and are not shared. */
export function snapshotUses(parts: UseParts): PathUses {
  return {
    async use(namespace, given, { signal }: AbortOptions = {}) {
      const { ledger } = parts
      try {
        const reached = await reach(parts, given, signal)
        signal?.throwIfAborted()
        // In one turn: new snapshots find the use, and existing ones are found here.
        const written = ledger.peek((db) =>
          reached.written.flatMap((path) => backingsAt(db, path).map((backing) => ({ ...backing, path }))),
        )
        refuseOthers(parts, namespace, written)
        const use = begin(parts, recordOf(parts, reached))
        try {
          await letAnybodyWrite(parts, [...new Set(written.map(({ id }) => id))])
        } catch (error) {
          use[Symbol.dispose]()
          throw error
        }
        return use
      } finally {
        await ledger.answerable()
      }
    },
    resume(record) {
      return begin(parts, checkedRecord(record))
    },
  }
}

/** Where paths lead, without symbolic links. */
interface Reach {
  /** Files and directories that are read, and those that are written to. */
  readonly all: readonly string[]
  readonly written: readonly string[]
  /** Written directories, in which directories can be made. */
  readonly writtenDirectories: readonly string[]
}

async function reach(
  { ledger }: UseParts,
  { mounts, base, changeable, files = [], directories = [] }: GivenPaths,
  signal: AbortSignal | undefined,
): Promise<Reach> {
  const paths = mountReach(mounts, { base, changeable })
  const count = paths.length + files.length + directories.length
  if (count > maxPaths)
    throw new NsboxError('invalid_argument', `${count} paths of the host for a task, at most ${maxPaths}`)
  const finder = new PlaceFinder({ signal })
  const plain = plainPaths(ledger, paths)
  const found = new Map<string, Places | undefined>()
  const made = new Map<string, readonly string[]>()
  const find = async ({ path }: ReachedPath) => {
    found.set(path, plain.has(path) ? { own: [path], below: [], isDirectory: true } : await finder.of(path))
  }
  const findMade = async (path: string) => {
    // It cannot be opened.
    if (path.includes('\0')) return
    made.set(path, await placesForWriting(finder, path))
  }
  await mapConcurrently(paths, find, { concurrency, signal })
  await mapConcurrently(new Set([...files, ...directories]), findMade, { concurrency, signal })
  const all = new Set<string>()
  const written = new Set<string>()
  const writtenDirectories = new Set<string>()
  const add = (places: Iterable<string>, ...sets: Set<string>[]) => {
    for (const place of places) for (const set of [all, ...sets]) set.add(place)
  }
  // A path that does not exist yet may later lead anywhere, even to a directory that another mount shows read-only.
  const isKnown = [...found.values()].every((places) => places !== undefined)
  for (const reached of isKnown ? paths : mountReach(mounts, { base, changeable: true })) {
    const { own = [], below = [], isDirectory = true } = found.get(reached.path) ?? {}
    const into = isDirectory ? [written, writtenDirectories] : [written]
    add(own, ...(reached.writable ? into : []))
    add(below, ...(reached.writableBelow ? into : []))
  }
  for (const path of files) add(made.get(path) ?? [], written)
  for (const path of directories) add(made.get(path) ?? [], written, writtenDirectories)
  return { all: [...all], written: [...written], writtenDirectories: [...writtenDirectories] }
}

/**
 * Paths that are exactly the directories of backings, as for nearly all tasks. Their other places need not be searched,
 * unless something is mounted over one.
 */
function plainPaths(ledger: SnapshotParts['ledger'], paths: readonly ReachedPath[]): ReadonlySet<string> {
  const texts = paths.map(({ path }) => path)
  const directories = new Set(ledger.peek((db) => backingsWith(db, texts)).map(({ directory }) => directory))
  const plain = new Set<string>()
  for (const { path, writable } of paths) {
    if (!directories.has(path)) continue
    if (writable && !isUncovered(path)) continue
    plain.add(path)
    // The work directory of an overlay, for the kernel.
    if (writable) plain.add(join(dirname(path), 'work'))
  }
  return plain
}

async function placesForWriting(finder: PlaceFinder, path: string): Promise<readonly string[]> {
  const places = await finder.of(path)
  if (places !== undefined) return [...places.own, ...places.below]
  const real = await resolvedForMaking(path)
  if (real === undefined)
    throw new NsboxError('invalid_argument', `${JSON.stringify(path)} is a link that leads nowhere`)
  // It will be visible wherever the directory is visible in which it will be made.
  for (let [above, rest] = [dirname(real), basename(real)]; ; ) {
    const there = await finder.of(above)
    if (there !== undefined) return there.own.map((place) => join(place, rest))
    rest = join(basename(above), rest)
    above = dirname(above)
  }
}

/**
 * @throws `failed_precondition` if another namespace relies on a backing that could be written to, except for tasks
 * that get a directory with the database in it: those belong to the host's operator
 */
function refuseOthers(
  { ledger, databasePath }: UseParts,
  namespace: string,
  written: readonly (BackingAt & { readonly path: string })[],
): void {
  const isHost = (path: string) => databasePath !== undefined && isAtOrBelow(databasePath, path)
  const reliedOn = written.filter(({ committed, path }) => committed === 1 && !isHost(path))
  if (reliedOn.length === 0) return
  const ids = reliedOn.map(({ id }) => id)
  const others = ledger.peek((db) => anyOfOthers(db, ids, namespace))
  const refused = reliedOn.find(({ id }) => id === others)
  if (refused === undefined) return
  throw new NsboxError(
    'failed_precondition',
    `${JSON.stringify(refused.path)} can be written to, and leads to a committed snapshot that another ` +
      'namespace has too',
  )
}

function recordOf({ ledger }: UseParts, { all, writtenDirectories }: Reach): UseRecord {
  const backings = ledger.peek((db) => {
    const direct = backingsWith(db, all)
    const known = new Set(direct.map(({ directory }) => directory))
    const others = all.filter((path) => !known.has(path))
    return [...direct, ...others.flatMap((path) => [...backingsAround(db, path), ...backingsOf(db, path)])]
  })
  // The directory of a snapshot's files, or another one beside it.
  const isOwn = (path: string) => backings.some(({ directory }) => isAtOrBelow(path, dirname(directory)))
  return {
    backings: [...new Set(backings.map(({ id }) => id))],
    writable: writtenDirectories.filter((path) => !isOwn(path)),
  }
}

function begin(parts: UseParts, record: UseRecord): PathUse {
  const { ledger, inUse, collector } = parts
  const isEmpty = record.backings.length === 0 && record.writable.length === 0
  const end = inUse.add(record)
  return {
    record: isEmpty ? undefined : record,
    [Symbol.dispose]() {
      end()
      const left = ledger.peek((db) => withoutRows(db, record.backings))
      if (left.length === 0) return
      const dropped = ledger.note((tx) => left.flatMap((id) => dropUnusedBacking(tx, inUse, id)))
      for (const snapshot of dropped) collector.unused({ snapshot })
      collector.schedule()
    },
  }
}

/** @throws `data_loss` for an invalid record */
function checkedRecord(record: object): UseRecord {
  const { backings, writable } = record as Partial<UseRecord>
  const isList = (value: unknown, type: string) =>
    Array.isArray(value) && value.every((item) => typeof item === type)
  if (isList(backings, 'number') && isList(writable, 'string')) return record as UseRecord
  throw new NsboxError('data_loss', 'record of the snapshots that a task uses')
}
