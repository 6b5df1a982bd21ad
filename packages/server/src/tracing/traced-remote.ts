import type { Remote } from '@nsbox/core/transfer'
import { parseReference } from '@nsbox/oci'
import type { Tracer } from './tracer.ts'

/** A remote whose requests are spans. The bytes of a fetch are one, resumed connections included. */
export function tracedRemote(remote: Remote, tracer: Tracer): Remote {
  const { reference } = remote
  const registry = parseReference(reference).host
  return {
    reference,
    resolve: (options) =>
      tracer.span(
        'nsbox.resolve',
        () => ({ 'nsbox.registry': registry, 'nsbox.reference': reference }),
        async (span) => {
          const target = await remote.resolve(options)
          span.add({ 'nsbox.digest': target.digest })
          return target
        },
      ),
    fetch: (descriptor, options) => {
      const { digest, mediaType, size } = descriptor
      const facts = () => ({
        ...{ 'nsbox.registry': registry, 'nsbox.digest': digest, 'nsbox.media_type': mediaType },
        ...{ 'nsbox.size': size, 'nsbox.offset': options?.offset ?? 0 },
      })
      return tracer.items('nsbox.fetch', facts, () => remote.fetch(descriptor, options))
    },
    push: (descriptor, read, options) => remote.push(descriptor, read, options),
  }
}
