import { expect, test } from 'vitest'
import { servedMethods } from '../testing/served-methods.ts'
import { tenantRules } from './tenant-rules.ts'

/** A stand-in for the parts of a server: registering routes does not use them. */
const nothing = new Proxy({}, { get: () => nothing }) as never

const rules = tenantRules(nothing)

test('F01 every method of every service that is served has a rule for tenants', () => {
  const methods = [...servedMethods().keys()]
  expect(methods.length).toBeGreaterThan(70)
  expect(methods.filter((method) => !rules.has(method))).toEqual([])
  expect([...rules.keys()].filter((method) => !methods.includes(method))).toEqual([])
})

test('F01 what is open to tenants, and what is not for them, is this and nothing else', () => {
  const named = (needs: string) =>
    [...rules]
      .filter(([, rule]) => rule.needs === needs)
      .map(([name]) => name)
      .sort()
  expect(named('open')).toEqual([
    'containerd.services.events.v1.Events/Subscribe',
    'containerd.services.introspection.v1.Introspection/Plugins',
    'containerd.services.introspection.v1.Introspection/Server',
    'containerd.services.namespaces.v1.Namespaces/Get',
    'containerd.services.namespaces.v1.Namespaces/List',
    'containerd.services.version.v1.Version/Version',
    'grpc.health.v1.Health/Check',
    'grpc.health.v1.Health/Watch',
  ])
  expect(named('never')).toEqual([
    'containerd.services.events.v1.Events/Forward',
    'containerd.services.events.v1.Events/Publish',
    'containerd.services.introspection.v1.Introspection/PluginInfo',
    'containerd.services.mounts.v1.Mounts/Activate',
    'containerd.services.mounts.v1.Mounts/Deactivate',
    'containerd.services.mounts.v1.Mounts/Info',
    'containerd.services.mounts.v1.Mounts/List',
    'containerd.services.mounts.v1.Mounts/Update',
    'containerd.services.namespaces.v1.Namespaces/Create',
    'containerd.services.namespaces.v1.Namespaces/Delete',
    'containerd.services.namespaces.v1.Namespaces/Update',
    'containerd.services.sandbox.v1.Controller/Create',
    'containerd.services.sandbox.v1.Controller/Metrics',
    'containerd.services.sandbox.v1.Controller/Platform',
    'containerd.services.sandbox.v1.Controller/Shutdown',
    'containerd.services.sandbox.v1.Controller/Start',
    'containerd.services.sandbox.v1.Controller/Status',
    'containerd.services.sandbox.v1.Controller/Stop',
    'containerd.services.sandbox.v1.Controller/Update',
    'containerd.services.sandbox.v1.Controller/Wait',
    'containerd.services.snapshots.v1.Snapshots/Cleanup',
    'containerd.services.tasks.v1.Tasks/Checkpoint',
    'nsbox.web.v1.Page/Listen',
    'nsbox.web.v1.Web/Open',
  ])
})
