import { quoted } from '@nsbox/errors'
import { refuse } from '../validate.ts'
import { maxId } from './account-file.ts'
import { assertEnv } from './env.ts'
import { type Capabilities, capabilitySets, type Process, type Rlimit } from './process.ts'
import { assertWorkingDirectory } from './working-directory.ts'

/**
 * The part of `validateSpec` for a process, including one that a client adds to a container.
 *
 * @param field names the process in errors, such as `spec: process`
 * @param windows whether its paths are those of Windows, which are not checked
 * @throws `invalid_argument`, naming the field
 */
export function validateProcess(
  process: Process,
  field: string,
  { windows = false }: { readonly windows?: boolean } = {},
): void {
  if (!process.args?.[0]) throw refuse(`${field}.args`, 'no program is named')
  for (const [index, argument] of process.args.entries())
    if (argument.includes('\0')) throw refuse(`${field}.args[${index}]`, 'has a NUL')
  assertEnv(process.env ?? [], `${field}.env`)
  if (!windows) assertWorkingDirectory(process.cwd, `${field}.cwd`)
  const { uid, gid, additionalGids = [] } = process.user
  for (const [name, id] of Object.entries({ uid, gid })) assertId(id, `${field}.user.${name}`)
  for (const [index, id] of additionalGids.entries()) assertId(id, `${field}.user.additionalGids[${index}]`)
  if (process.capabilities) validateCapabilities(process.capabilities, `${field}.capabilities`)
  validateRlimits(process.rlimits ?? [], `${field}.rlimits`)
  const { oomScoreAdj } = process
  if (oomScoreAdj !== undefined && !(oomScoreAdj >= -1000 && oomScoreAdj <= 1000))
    throw refuse(`${field}.oomScoreAdj`, `${oomScoreAdj} is out of the range -1000 to 1000`)
}

function assertId(id: number, field: string): void {
  if (!(Number.isSafeInteger(id) && id >= 0 && id <= maxId))
    throw refuse(field, `${id} is out of the range 0 to ${maxId}`)
}

function validateCapabilities(sets: Capabilities, field: string): void {
  for (const set of capabilitySets) {
    const bad = sets[set]?.find((name) => !/^CAP_[A-Z_]+$/.test(name))
    if (bad !== undefined) throw refuse(`${field}.${set}`, `${quoted(bad)} is not a capability`)
  }
  // capabilities(7): the kernel refuses other combinations at capset and prctl.
  const within = (inner: keyof Capabilities, outer: keyof Capabilities): void => {
    const allowed = new Set(sets[outer])
    const extra = sets[inner]?.find((name) => !allowed.has(name))
    if (extra !== undefined) throw refuse(`${field}.${inner}`, `${extra} is not in the ${outer} set`)
  }
  within('effective', 'permitted')
  within('ambient', 'permitted')
  within('ambient', 'inheritable')
}

function validateRlimits(rlimits: readonly Rlimit[], field: string): void {
  const seen = new Set<string>()
  for (const [index, { type, soft, hard }] of rlimits.entries()) {
    if (!/^RLIMIT_[A-Z]+$/.test(type))
      throw refuse(`${field}[${index}].type`, `${quoted(type)} is not a limit`)
    if (seen.has(type)) throw refuse(`${field}[${index}].type`, `${type} is there twice`)
    seen.add(type)
    if (soft < 0 || hard < 0) throw refuse(`${field}[${index}]`, `${type} is negative`)
    if (soft > hard) throw refuse(`${field}[${index}].soft`, `${soft} is above the hard limit ${hard}`)
  }
}
