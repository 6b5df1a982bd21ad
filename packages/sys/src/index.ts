export { tryFlock } from './flock.ts'
