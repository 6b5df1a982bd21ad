export { bundledSources } from './bundled-sources.ts'
export { startThread } from './start-thread.ts'
