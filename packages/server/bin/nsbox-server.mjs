#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'

// V8 lets a heap of 20 MB grow to four times that and more before it looks for what is dead. Three times costs no time
// that could be measured, and keeps 30 MB of memory free; twice makes a pull a tenth slower. It is said before anything
// is loaded, since each collection decides when the next one comes.
setFlagsFromString('--heap-growing-percent=200')
// A pull lasts seconds, in which each thread compiles its own code: functions that take in few others cost less than they
// gain, about three hundredths of a pull's processor time. A Node that lacks the flag says so and goes on.
setFlagsFromString('--max-inlined-bytecode-size-cumulative=100')
await import('../dist/bin/nsbox-server.js')
