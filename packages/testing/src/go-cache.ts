import { homedir } from 'node:os'
import { join } from 'node:path'

/** The cache for Go programs of tests: sources of libraries, and output of the compiler. */
export const goCache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'nsbox-testing', 'go')
