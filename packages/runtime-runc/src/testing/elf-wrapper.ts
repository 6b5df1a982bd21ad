import { writeFile } from 'node:fs/promises'

/** Where the program is in its memory (elf(5)). */
const base = 0x400000n
const header = 64
const programHeader = 56

/** mov edi, path; lea rsi, [rsp+8]; mov rax, [rsp]; lea rdx, [rsi+rax*8+8]; mov eax, 59 (execve); syscall; hlt */
const code = (path: number) => {
  const bytes = Buffer.from('bf00000000488d742408488b0424488d54c608b83b0000000f05f4', 'hex')
  bytes.writeUInt32LE(path, 1)
  return bytes
}

/**
 * Writes a program for x86-64 that executes another one with the same arguments, as wrappers of runtimes do.
 * @returns its path
 */
export async function elfWrapper(path: string, real: string): Promise<string> {
  const start = header + programHeader
  const text = code(Number(base) + start + code(0).length)
  const size = start + text.length + Buffer.byteLength(real) + 1
  const bytes = Buffer.alloc(size)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  bytes.writeUInt16LE(2, 16) // an executable
  bytes.writeUInt16LE(62, 18) // of x86-64
  bytes.writeUInt32LE(1, 20)
  bytes.writeBigUInt64LE(base + BigInt(start), 24)
  bytes.writeBigUInt64LE(BigInt(header), 32)
  bytes.writeUInt16LE(header, 52)
  bytes.writeUInt16LE(programHeader, 54)
  bytes.writeUInt16LE(1, 56)
  bytes.writeUInt32LE(1, header) // to be loaded
  bytes.writeUInt32LE(5, header + 4) // for reading and executing
  bytes.writeBigUInt64LE(base, header + 16)
  bytes.writeBigUInt64LE(base, header + 24)
  bytes.writeBigUInt64LE(BigInt(size), header + 32)
  bytes.writeBigUInt64LE(BigInt(size), header + 40)
  bytes.writeBigUInt64LE(4096n, header + 48)
  text.copy(bytes, start)
  bytes.write(`${real}\0`, start + text.length)
  await writeFile(path, bytes, { mode: 0o755 })
  return path
}
