import { ZSTDDecoder } from 'zstddec/stream'

/** What the library's WebAssembly, which is libzstd, can do. Pointers and sizes are of 32 bits. */
export interface WasmZstd {
  /** It is another one whenever there is more of it. */
  readonly memory: { readonly buffer: ArrayBuffer }
  malloc(size: number): number
  free(pointer: number): void
  ZSTD_createDCtx(): number
  ZSTD_freeDCtx(context: number): void
  /** @returns 0 at the end of a frame; a hint of what it wants; less than 0 for an error */
  ZSTD_decompressStream(context: number, output: number, input: number): number
  ZSTD_DStreamOutSize(): number
}

let loaded: Promise<WasmZstd> | undefined

/**
 * The library's WebAssembly, once for this thread. Its own loop is not used: it does not look at what the decoder says, so
 * that it goes on after an error, and leaves behind all of the decoder's memory when it is ended early.
 */
export function wasmZstd(): Promise<WasmZstd> {
  loaded ??= (async () => {
    let exports: WasmZstd | undefined
    // The library hands it over when it has compiled it, and keeps it to itself otherwise.
    class Loader extends ZSTDDecoder {
      override _init(result: Parameters<ZSTDDecoder['_init']>[0]): void {
        super._init(result)
        const { instance }: { readonly instance: { readonly exports: unknown } } = result
        exports = instance.exports as WasmZstd
      }
    }
    await new Loader().init()
    if (exports === undefined) throw new Error('zstddec was loaded by others')
    return exports
  })()
  return loaded
}
