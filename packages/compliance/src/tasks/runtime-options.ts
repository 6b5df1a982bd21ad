import type { OpaqueValue } from '@nsbox/core/tasks'

/** The fields of `containerd.runc.v1.Options` that tests use. */
export interface RuntimeOptions {
  /** The program in place of runc. */
  readonly binaryName?: string | undefined
  /** The cgroup for helper processes. */
  readonly shimCgroup?: string | undefined
}

export function runtimeOptions({ binaryName = '', shimCgroup = '' }: RuntimeOptions): OpaqueValue {
  const value = Buffer.concat([field(3, shimCgroup), field(6, binaryName)])
  return { typeUrl: 'containerd.runc.v1.Options', value: Uint8Array.from(value) }
}

/** A field of a message, whose text has less than 128 bytes. */
function field(number: number, text: string): Buffer {
  const bytes = Buffer.from(text)
  return bytes.length === 0 ? bytes : Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes])
}
