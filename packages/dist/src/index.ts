export { distProgram } from './program.ts'
