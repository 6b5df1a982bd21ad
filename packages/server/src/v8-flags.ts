// Sets the flags of V8 for a process that is a server, or runs one for all of its life. To be loaded before anything
// else, since each collection of garbage decides when the next one comes, and since V8 takes compiled code only for the
// flags that it was made with: the server's is made with these. Node's own is made without any, so the modules of Node
// that a server starts with are loaded before; they take 15 ms more otherwise.
import 'node:child_process'
import 'node:crypto'
import 'node:dns'
import 'node:fs/promises'
import 'node:http2'
import 'node:https'
import 'node:module'
import 'node:os'
import 'node:path/posix'
import 'node:perf_hooks'
import 'node:stream/promises'
import 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import 'node:vm'
import 'node:worker_threads'
import 'node:zlib'

// By default V8 lets a heap of 20 MB grow to four times its size and more before it collects garbage. Up to three times
// has no measurable cost, and leaves 11 MB less in use five seconds after a pull; twice makes a pull a tenth slower.
// On Node 24 more of what ends soon gets old: twice costs a pull of forty layers nothing there, and a server has 170 MB
// in place of 215 after 160 MB were read in small pieces. Other Nodes with V8 12 or later are taken to be alike.
const growth = Number.parseInt(process.versions.v8, 10) < 12 ? 200 : 100
setFlagsFromString(`--heap-growing-percent=${growth}`)
// The parser of HTTP messages is WebAssembly with one big function, which V8 would optimize in the middle of a first
// pull: 70 ms of processor time, for the few headers of some tens of answers. zstd, where it is WebAssembly too, is
// optimized a tenth of a second later because of this.
setFlagsFromString('--wasm-tiering-budget=1000000000')
