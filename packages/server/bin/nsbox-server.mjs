#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'

// V8 lets a heap of 20 MB grow to four times that and more before it looks for what is dead. Three times costs no time
// that could be measured, and keeps 30 MB of memory free; twice makes a pull a tenth slower. It is said before anything
// is loaded, since each collection decides when the next one comes.
setFlagsFromString('--heap-growing-percent=200')
await import('../dist/bin/nsbox-server.js')
