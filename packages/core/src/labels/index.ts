export { changeLabels } from './change-labels.ts'
export { labelChangeFromPaths } from './label-paths.ts'
export type { LabelChange, Labels } from './labels.ts'
