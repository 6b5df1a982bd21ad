export { type LogFile, openLogOf, type ReadLogOptions } from './log-file.ts'
