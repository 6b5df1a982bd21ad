import { NsboxError } from '@nsbox/errors'
import type { Mount } from '@nsbox/oci/runtime-spec'

/** The fields of a mount, by the names that people use for them. */
const fields: ReadonlyMap<string, 'type' | 'source' | 'destination' | 'options'> = new Map([
  ['type', 'type'],
  ['source', 'source'],
  ['src', 'source'],
  ['destination', 'destination'],
  ['dst', 'destination'],
  ['options', 'options'],
])

/**
 * A mount of an OCI spec, written as `type=bind,src=/tmp,dst=/host,options=rbind:ro`. A field with a comma is put into
 * quotes as a whole, and a quote within doubled.
 *
 * @throws `invalid_argument`
 */
export function parseMount(text: string): Mount {
  const mount: { type?: string; source?: string; destination?: string; options?: string[] } = {}
  for (const field of fieldsOf(text)) {
    const at = field.indexOf('=')
    if (at === -1) throw invalid(`${JSON.stringify(field)} is not of the form key=value`, text)
    const [name, value] = [field.slice(0, at), field.slice(at + 1)]
    const key = fields.get(name)
    if (key === undefined) throw invalid(`mount option ${JSON.stringify(name)} not supported`, text)
    if (key === 'options') mount.options = value.split(':')
    else mount[key] = value
  }
  const { destination } = mount
  if (!destination) throw invalid('no destination', text)
  return { ...mount, destination }
}

function fieldsOf(text: string): string[] {
  const found = [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/gy)]
  if (found.map(([part]) => part).join('') !== text) throw invalid('quotes that do not end', text)
  return found.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '')
}

function invalid(why: string, text: string): NsboxError {
  return new NsboxError('invalid_argument', `mount ${JSON.stringify(text)}: ${why}`)
}
