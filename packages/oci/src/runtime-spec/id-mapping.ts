import type * as v from 'valibot'
import { openFields } from '../field-schema.ts'
import { integer32 } from './integer.ts'

export const idMappingSchema = openFields({
  containerID: integer32,
  hostID: integer32,
  size: integer32,
})

/** A range of ids in a user namespace, and its beginning outside. */
export interface IdMapping extends v.InferOutput<typeof idMappingSchema> {}
