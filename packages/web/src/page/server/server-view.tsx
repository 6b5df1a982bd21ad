import type { Plugin } from '@nsbox/api/gen/services/introspection/v1/introspection_pb'
import { session } from '../connection/link.ts'
import { useResource } from '../connection/resource.ts'
import { Failure, Waiting } from '../elements/states.tsx'
import { Text } from '../elements/text.tsx'
import { loadServer } from './load-server.ts'
import { MetricsPart } from './metrics-part.tsx'

/** What the server is, and how it is doing. */
export function ServerView() {
  const { value, failure } = useResource(loadServer, () => false)
  const told = value.value
  const { version = '', revision = '', write = false } = session.value ?? {}
  return (
    <section aria-labelledby="view-title">
      <header class="view-header">
        <h1 id="view-title" tabIndex={-1}>
          Server
        </h1>
        <p class="summary" />
      </header>
      <dl class="facts">
        <div>
          <dt>Version</dt>
          <dd>
            <Text of={version} />
          </dd>
        </div>
        <div>
          <dt>Revision</dt>
          <dd>
            <Text of={revision} length={13} />
          </dd>
        </div>
        <div>
          <dt>Process</dt>
          <dd>{told && String(told.server.pid)}</dd>
        </div>
        <div>
          <dt>Identity</dt>
          <dd>{told && <Text of={told.server.uuid} />}</dd>
        </div>
        <div>
          <dt>This page</dt>
          <dd>{write ? 'may act' : 'is read-only'}</dd>
        </div>
      </dl>
      <MetricsPart />
      <h2>Plugins</h2>
      <Failure of={failure.value} />
      {told === undefined ? <Waiting /> : <PluginsTable plugins={told.plugins} />}
    </section>
  )
}

function PluginsTable({ plugins }: { readonly plugins: readonly Plugin[] }) {
  return (
    <table>
      <caption class="spoken">Plugins of the server</caption>
      <thead>
        <tr>
          <th scope="col">Plugin</th>
          <th scope="col">Type</th>
          <th scope="col">Platforms</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        {plugins.map(({ type, id, platforms, initErr }) => (
          <tr key={`${type}\0${id}`}>
            <th scope="row" data-label="Plugin">
              <Text of={id} />
            </th>
            <td data-label="Type">
              <Text of={type} />
            </td>
            <td data-label="Platforms">
              <Text of={platforms.map(({ os, architecture }) => `${os}/${architecture}`).join(', ')} />
            </td>
            <td data-label="State">
              {initErr === undefined ? (
                <span class="state running">ok</span>
              ) : (
                <Text of={initErr.message} length={200} class="state stopped" />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
