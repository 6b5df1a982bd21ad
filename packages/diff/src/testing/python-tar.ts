import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

/** Lists the archives on standard input, each after its length in four bytes. */
const program = `
import io, json, struct, sys, tarfile
kinds = {b'0': 'file', b'\\0': 'file', b'7': 'file', b'S': 'file', b'1': 'hardlink', b'2': 'symlink',
         b'3': 'character', b'4': 'block', b'5': 'directory', b'6': 'fifo'}
raw = lambda text: text.encode('utf-8', 'surrogateescape').hex()
while True:
    size = sys.stdin.buffer.read(4)
    if len(size) < 4: break
    data = sys.stdin.buffer.read(struct.unpack('<I', size)[0])
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode='r:', encoding='utf-8', errors='surrogateescape') as tar:
            members = tar.getmembers()
        answer = [[raw(m.name.rstrip('/')), kinds.get(m.type, m.type.decode('latin1')), m.size if m.isreg() else 0,
                   raw(m.linkname) if m.islnk() or m.issym() else ''] for m in members]
    except Exception:
        answer = None
    print(json.dumps(answer), flush=True)
`

/** A member in Python's own library: name and target as bytes in hexadecimal. */
export type PythonMember = readonly [name: string, type: string, size: number, target: string]

/** Python's reader of archives, in a process that lives until it is closed. */
export class PythonTar {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: Interface
  readonly #answers: AsyncIterator<string>

  constructor() {
    this.#child = spawn('/usr/bin/python3', ['-c', program], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface(this.#child.stdout)
    this.#answers = this.#lines[Symbol.asyncIterator]()
  }

  /** @returns undefined for something that it does not recognise as an archive */
  async list(archive: Buffer): Promise<PythonMember[] | undefined> {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(archive.length)
    this.#child.stdin.write(Buffer.concat([size, archive]))
    const { value, done } = await this.#answers.next()
    if (done) throw new Error('Python has ended')
    return JSON.parse(value) ?? undefined
  }

  close(): void {
    this.#child.stdin.end()
    this.#lines.close()
  }
}
