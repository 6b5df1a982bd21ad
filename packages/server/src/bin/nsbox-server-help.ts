// Answers what asks for help or the version, without the server.
import { readCommandLine } from './command-line.ts'

readCommandLine()
// What looked like a question was the value of an option.
await import(new URL('./nsbox-server.js', import.meta.url).href)
