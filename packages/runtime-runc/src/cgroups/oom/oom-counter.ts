import { CgroupFiles, type KeyedNumbers } from '../cgroup-files.ts'
import type { ContainerCgroup } from '../container-cgroup.ts'

/** Compares the kernel's count of kills with its last value. */
export class OomCounter {
  readonly #read: (() => KeyedNumbers | undefined) | undefined
  readonly #onOom: () => void
  #kills = 0n
  #stuck = false

  constructor(cgroup: ContainerCgroup, onOom: () => void) {
    this.#read = reader(cgroup)
    this.#onOom = onOom
  }

  /** @param options.silent whether to update the count without reporting; false by default */
  check({ silent = false }: { readonly silent?: boolean } = {}): void {
    const numbers = this.#read?.()
    // The cgroup is gone.
    if (numbers === undefined) return
    const kills = numbers('oom_kill')
    // With cgroup v1 the kernel can be told to stop processes instead of killing one.
    const stuck = numbers('under_oom') === 1n && numbers('oom_kill_disable') === 1n
    const news = kills > this.#kills || (stuck && !this.#stuck)
    this.#kills = kills
    this.#stuck = stuck
    if (news && !silent) this.#onOom()
  }
}

function reader(cgroup: ContainerCgroup): (() => KeyedNumbers | undefined) | undefined {
  const memory = cgroup.directory('memory')
  if (memory !== undefined) return () => new CgroupFiles(memory).keyed('memory.oom_control')
  const unified = cgroup.directory('')
  return unified === undefined ? undefined : () => new CgroupFiles(unified).keyed('memory.events')
}
