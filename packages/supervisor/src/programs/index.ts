export { type ChildProgram, type ChildRequest, startChild } from './child-program.ts'
export { findProgram, type SearchOptions } from './find-program.ts'
export { isElf } from './is-elf.ts'
export { signalName } from './signal-name.ts'
