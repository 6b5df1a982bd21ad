import { NsboxError } from '@nsbox/errors'
import type { DecompressionEngine } from './decompressor.ts'
import { type WasmZstd, wasmZstd } from './wasm-zstd.ts'

/** Most bytes to copy to the decoder at once. */
const pieceSize = 128 * 1024

/**
 * zstd in WebAssembly, which every Node has; several times slower than the program. The library refuses windows beyond
 * 128 MiB.
 */
export const wasmZstdEngine: DecompressionEngine = {
  name: 'zstddec',
  format: 'zstd',
  async *decompress(compressed) {
    using decoder = new Decoder(await wasmZstd())
    for await (const chunk of compressed.chunks())
      for (let at = 0; at < chunk.length; at += pieceSize)
        yield* decoder.push(chunk.subarray(at, at + pieceSize))
    decoder.finish()
  },
}

/** Fields of `ZSTD_inBuffer` and `ZSTD_outBuffer`: pointer, size and position. */
const bufferFields = 3
const wordSize = 4

/** One stream that is being decompressed, with memory of its own that is freed with it. */
class Decoder implements Disposable {
  readonly #zstd: WasmZstd
  readonly #context: number
  readonly #outputSize: number
  /** The fields of the input buffer, followed by those of the output buffer. */
  readonly #block: number
  readonly #input: number
  readonly #output: number
  /** Whether the last byte was the end of a frame; a stream has at least one. */
  #complete = false

  constructor(zstd: WasmZstd) {
    this.#zstd = zstd
    this.#outputSize = zstd.ZSTD_DStreamOutSize()
    this.#context = zstd.ZSTD_createDCtx()
    const fields = 2 * bufferFields * wordSize
    this.#block = zstd.malloc(fields + pieceSize + this.#outputSize)
    if (this.#context === 0 || this.#block === 0) {
      this[Symbol.dispose]()
      throw new NsboxError('resource_exhausted', 'no memory to decompress the layer')
    }
    this.#input = this.#block + fields
    this.#output = this.#input + pieceSize
  }

  /** @returns the decompressed bytes, in pieces of at most `pieceSize` that belong to the caller */
  *push(bytes: Uint8Array): Generator<Buffer> {
    const { memory, ZSTD_decompressStream: decompress } = this.#zstd
    new Uint8Array(memory.buffer, this.#input, bytes.length).set(bytes)
    const inputFields = this.#block
    const outputFields = this.#block + bufferFields * wordSize
    this.#fields(inputFields).set([this.#input, bytes.length, 0])
    for (;;) {
      this.#fields(outputFields).set([this.#output, this.#outputSize, 0])
      const said = decompress(this.#context, outputFields, inputFields)
      if (said < 0) throw damaged()
      this.#complete = said === 0
      const written = this.#fields(outputFields)[2]!
      if (written > 0) yield Buffer.from(new Uint8Array(memory.buffer, this.#output, written))
      // The input may be consumed although more output is to come, unless a frame has ended.
      const isTaken = this.#fields(inputFields)[2] === bytes.length
      if (isTaken && (this.#complete || written < this.#outputSize)) return
    }
  }

  /** @throws `data_loss` within a frame, and if there was none */
  finish(): void {
    if (!this.#complete) throw damaged()
  }

  [Symbol.dispose](): void {
    this.#zstd.ZSTD_freeDCtx(this.#context)
    this.#zstd.free(this.#block)
  }

  /** A new view each time, since older ones are detached when the memory grows. */
  #fields(pointer: number): Uint32Array {
    return new Uint32Array(this.#zstd.memory.buffer, pointer, bufferFields)
  }
}

function damaged(): NsboxError {
  return new NsboxError('data_loss', 'the layer cannot be decompressed: broken zstd stream')
}
