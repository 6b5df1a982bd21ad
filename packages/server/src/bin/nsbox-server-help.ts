// Answers what asks about the command line, such as for help or a completion, without the server.
import { readCommandLine } from './command-line.ts'

const { kind } = await readCommandLine()
// What looked like a question was the value of an option.
if (kind !== 'answered') await import(new URL('./nsbox-server.js', import.meta.url).href)
