#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'

// V8 lets a heap of 20 MB grow to four times that and more before it looks for what is dead. Three times costs no time
// that could be measured, and keeps 30 MB of memory free; twice makes a pull a tenth slower. It is said before anything
// is loaded, since each collection decides when the next one comes.
setFlagsFromString('--heap-growing-percent=200')
// The parser of HTTP messages is WebAssembly with one big function, which V8 would compile with all its might in the
// very middle of a first pull: 70 ms of processor time, for the few headers of some tens of answers. zstd, where it has
// to be WebAssembly too, is compiled a tenth of a second later for it.
setFlagsFromString('--wasm-tiering-budget=1000000000')
await import('../dist/nsbox-server.js')
