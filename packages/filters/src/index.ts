export { type Adaptor, labelField } from './adaptor.ts'
export {
  type Filter,
  type ParseFilterOptions,
  parseFilter,
  parseFilters,
  parseListFilters,
} from './filter.ts'
