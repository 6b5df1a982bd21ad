#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'

// By default V8 lets a heap of 20 MB grow to four times its size and more before it collects garbage. Up to three times
// has no measurable cost, and keeps 30 MB of memory free; twice makes a pull a tenth slower. Set before anything is
// loaded, since each collection decides when the next one comes.
setFlagsFromString('--heap-growing-percent=200')
// The parser of HTTP messages is WebAssembly with one big function, which V8 would optimize in the middle of a first
// pull: 70 ms of processor time, for the few headers of some tens of answers. zstd, where it is WebAssembly too, is
// optimized a tenth of a second later because of this.
setFlagsFromString('--wasm-tiering-budget=1000000000')
// What is about the command line itself needs nothing of the server.
const questions = ['-h', '--help', '-v', '--version', 'completion', '__complete', 'man']
const isQuestion = process.argv.slice(2).some((argument) => questions.includes(argument))
await import(isQuestion ? '../dist/nsbox-server-help.js' : '../dist/nsbox-server.js')
