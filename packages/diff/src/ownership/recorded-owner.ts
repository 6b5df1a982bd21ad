/**
 * The extended attribute in which programs without root keep the owner that a file cannot have: the message `Resource`
 * of https://github.com/rootless-containers/proto, as umoci writes and reads it.
 */
export const ownerAttribute = 'user.rootlesscontainers'

/** An owner; both ids have 32 bits. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** Stands for an id that is not recorded. */
const unchanged = 0xffffffff
/** More than two fields take, each of one byte and a number of ten at most. */
const maxBytes = 64
const [uidField, gidField] = [1, 2]

/** The message with an owner. As protobuf has it, an id of 0 is left out. */
export function encodeOwner({ uid, gid }: Owner): Uint8Array {
  return Uint8Array.from([...numberField(uidField, uid), ...numberField(gidField, gid)])
}

/**
 * The owner in a message.
 *
 * @param real the owner that the file has, for what the message leaves unchanged
 * @returns undefined for bytes that are no such message
 */
export function decodeOwner(bytes: Uint8Array, real: Owner): Owner | undefined {
  if (bytes.byteLength > maxBytes) return undefined
  const ids = new Map([
    [uidField, 0],
    [gidField, 0],
  ])
  for (let at = 0; at < bytes.byteLength; ) {
    const tag = readNumber(bytes, at)
    const value = tag && readNumber(bytes, tag.end)
    // Only numbers are in this message.
    if (tag === undefined || value === undefined || (tag.value & 7n) !== 0n) return undefined
    ids.set(Number(tag.value >> 3n), Number(BigInt.asUintN(32, value.value)))
    at = value.end
  }
  const [uid, gid] = [ids.get(uidField)!, ids.get(gidField)!]
  return { uid: uid === unchanged ? real.uid : uid, gid: gid === unchanged ? real.gid : gid }
}

function numberField(field: number, value: number): number[] {
  if (value === 0) return []
  const bytes = [field << 3]
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return [...bytes, rest]
}

/** A number of protobuf: groups of seven bits, the lowest first; undefined where there is none. */
function readNumber(
  bytes: Uint8Array,
  from: number,
): { readonly value: bigint; readonly end: number } | undefined {
  let value = 0n
  for (let at = from; at < bytes.byteLength && at < from + 10; at++) {
    const byte = bytes[at]!
    value |= BigInt(byte & 127) << BigInt(7 * (at - from))
    if (byte < 128) return { value, end: at + 1 }
  }
  return undefined
}
