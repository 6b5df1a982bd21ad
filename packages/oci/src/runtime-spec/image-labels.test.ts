import { expect, it } from 'vitest'
import type { ContainerDefaults } from '../image-config.ts'
import { imageLabels } from './image-labels.ts'

const image = (labels: Record<string, string>, stopSignal?: string): ContainerDefaults => ({
  env: [],
  entrypoint: [],
  cmd: [],
  labels,
  volumes: [],
  stopSignal,
})

it('takes over what an image says of itself, and its stop signal', () => {
  expect(imageLabels(image({ maintainer: 'me', 'org.opencontainers.image.title': 'x' }, 'SIGINT'))).toEqual({
    labels: {
      maintainer: 'me',
      'org.opencontainers.image.title': 'x',
      'io.containerd.image.config.stop-signal': 'SIGINT',
    },
    warnings: [],
  })
})

it.each([
  'containerd.io/restart.loguri',
  'containerd.io/gc.root',
  'io.containerd.image.config.stop-signal',
  'io.cri-containerd.kind',
  'io.cri-containerd',
  'nsbox.restart',
  'nsbox/x',
  'nerdctl/networks',
  'com.docker.compose.project',
])('B09 leaves out %s, which only the host may set, and says so', (key) => {
  const { labels, warnings } = imageLabels(image({ [key]: 'binary:///bin/sh' }))
  expect(labels).toEqual({ 'io.containerd.image.config.stop-signal': 'SIGTERM' })
  expect(warnings).toEqual([expect.stringContaining(key)])
})

it('leaves out what no container record could hold', () => {
  const { labels, warnings } = imageLabels(
    image({ a: 'é'.repeat(2048), b: 'é'.repeat(2047), '': 'x', 'c\n': 'x' }),
  )
  expect(Object.keys(labels)).toEqual(['b', 'io.containerd.image.config.stop-signal'])
  expect(warnings).toHaveLength(3)
})

it.each([
  ['9', '9'],
  ['SIGRTMIN+3', 'SIGRTMIN+3'],
  ['kill', 'kill'],
  ['', 'SIGTERM'],
  ['SIG TERM', 'SIGTERM'],
  ['TERM\n', 'SIGTERM'],
  ['1234', 'SIGTERM'],
])('reads the stop signal %j as %s', (signal, expected) => {
  expect(imageLabels(image({}, signal)).labels['io.containerd.image.config.stop-signal']).toBe(expected)
})

it('has keys such as __proto__ as keys', () => {
  const { labels } = imageLabels(image(JSON.parse('{"__proto__":"x"}')))
  expect(Object.entries(labels)).toContainEqual(['__proto__', 'x'])
})
