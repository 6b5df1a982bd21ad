import { packAny } from '@nsbox/api'
import { ProcessDetailsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import type { ProcessInfo } from '@nsbox/core/tasks'

/** The processes of a container for clients: those of execs with the exec's id. */
export function processInfos(pids: readonly number[], execs: ReadonlyMap<number, string>): ProcessInfo[] {
  return pids.map((pid) => {
    const execId = execs.get(pid)
    if (execId === undefined) return { pid }
    const { typeUrl, value } = packAny(ProcessDetailsSchema, { execId })
    return { pid, info: { typeUrl, value } }
  })
}
