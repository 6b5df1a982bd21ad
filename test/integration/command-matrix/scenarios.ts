import { containersScenarios } from './scenarios/containers.ts'
import { contentScenarios } from './scenarios/content.ts'
import { daemonScenarios } from './scenarios/daemon.ts'
import { imagesScenarios } from './scenarios/images.ts'
import { snapshotsScenarios } from './scenarios/snapshots.ts'
import { tasksScenarios } from './scenarios/tasks.ts'

/**
 * What is typed into a shell, in the order of the lines, once for each daemon. `ctr` is stock `ctr`, told by its
 * environment where the daemon is and to work in a namespace that is the scenario's own. Besides, there are
 *
 * - `$NAMESPACE`, the name of that namespace,
 * - `$BUSYBOX`, an image of a registry for this platform and another one, whose names are `$PLATFORM` and `$FOREIGN`,
 * - `$MANIFEST`, `$CONFIG`, `$LAYER` and `$TOP`, the digests of its parts for this platform, and `$CHAIN` and
 *   `$ROOTFS`, the names of the snapshots of its lower and its upper layer,
 * - `$REPOSITORY`, where to push to, and `$LOCKED`, an image of a registry that asks for the password `guest:secret`,
 * - `$ARCHIVE`, a file with the image, called `example.com/busybox:latest`,
 * - `$ROOT`, a directory with a root filesystem, and the working directory, which is empty at first.
 *
 * `patiently COMMAND` repeats a command until it succeeds, `status WORD` shows the lines of `ctr tasks ls` with a word,
 * without their pids, and `last` shows the last line of both outputs of a command. `collect` has the daemon collect
 * what nothing refers to and waits for it: what is shown must not depend on when it does so by itself, so containerd
 * does not, and what nothing else keeps has a label. Lines may be continued by a backslash.
 */
export type Scenarios = Readonly<Record<string, string>>

/** All scenarios by name. */
export const scenarios: Scenarios = {
  ...daemonScenarios,
  ...contentScenarios,
  ...imagesScenarios,
  ...snapshotsScenarios,
  ...containersScenarios,
  ...tasksScenarios,
}
