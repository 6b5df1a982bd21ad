import { expect, test } from 'vitest'
import * as cni from './index.ts'

test('exports these', () => {
  expect(Object.keys(cni).sort()).toEqual([
    'Cni',
    'defaultNetworkDirectory',
    'loopbackNetwork',
    'parseNetworkList',
    'readDefaultNetwork',
  ])
})
