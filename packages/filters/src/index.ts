export { type Adaptor, labelField } from './adaptor.ts'
export {
  type Filter,
  maxFilterLength,
  maxFilters,
  type ParseFilterOptions,
  parseFilter,
  parseFilters,
} from './filter.ts'
