import { ZSTDDecoder } from 'zstddec/stream'

/** The functions of the library's WebAssembly, which is libzstd. Pointers and sizes have 32 bits. */
export interface WasmZstd {
  /** Replaced by another one whenever the memory grows. */
  readonly memory: { readonly buffer: ArrayBuffer }
  malloc(size: number): number
  free(pointer: number): void
  ZSTD_createDCtx(): number
  ZSTD_freeDCtx(context: number): void
  /** @returns 0 at the end of a frame, less than 0 for an error, else a hint how many bytes to pass next */
  ZSTD_decompressStream(context: number, output: number, input: number): number
  ZSTD_DStreamOutSize(): number
}

let loaded: Promise<WasmZstd> | undefined

/**
 * The library's WebAssembly, one instance for each thread. The library's own loop is not used: it ignores the decoder's
 * result, so it goes on after an error, and it leaks the decoder's memory when it is ended early.
 */
export function wasmZstd(): Promise<WasmZstd> {
  loaded ??= (async () => {
    let exports: WasmZstd | undefined
    // The library passes its instance to this function only while it compiles it.
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
