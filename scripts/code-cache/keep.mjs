// Loaded before a program (`--import`) so that its compiled form is kept, and that of libraries: what it has compiled
// when it ends, and a thread, which is ended without notice, ten times a second.
import { chmodSync, renameSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import v8 from 'node:v8'
import vm from 'node:vm'
import { isMainThread, threadId } from 'node:worker_threads'
import { placeholder } from './placeholder.mjs'

const { cachedDataVersionTag } = v8
// So that the launcher finds a file that make.ts has put there, whatever flags there are.
v8.cachedDataVersionTag = () => placeholder
vm.Script = class extends vm.Script {
  /** @param {string} source @param {vm.ScriptOptions & { filename: string }} options */
  constructor(source, { cachedData: _placeholder, ...options }) {
    super(source, options)
    const tag = cachedDataVersionTag()
    const path = options.filename.replace(/\.cjs$/, `-${tag}.cache`)
    const keep = () => {
      // V8 would write the flags into it that have been set since, and not take it without them.
      if (cachedDataVersionTag() !== tag) return
      // Several threads of one program may do so at once.
      const temporary = `${path}.${threadId}.tmp`
      writeFileSync(temporary, this.createCachedData())
      // Whatever the program's umask is.
      chmodSync(temporary, 0o644)
      renameSync(temporary, path)
    }
    if (isMainThread) process.once('exit', keep)
    else setInterval(keep, 100).unref()
  }
}
syncBuiltinESMExports()
