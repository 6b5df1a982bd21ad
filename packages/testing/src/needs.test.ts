import { afterEach, expect, it, vi } from 'vitest'
import { needs } from './needs.ts'

afterEach(() => vi.unstubAllEnvs())

it('finds nothing missing where everything is there', () => {
  vi.stubEnv('CI', 'true')
  expect(needs({ programs: ['sh', 'node'] })).toBeUndefined()
})

it('names all that is missing', () => {
  vi.stubEnv('CI', undefined)
  expect(needs({ programs: ['sh', 'no-such-program', 'nor-this'] })).toBe('needs no-such-program, nor-this')
})

it('finds daemons that only root has in the search path', () => {
  vi.stubEnv('PATH', '/nowhere')
  vi.stubEnv('CI', undefined)
  expect(needs({ programs: ['chroot'] })).toBeUndefined()
})

it('finds what is in no search path by its own path alone', () => {
  vi.stubEnv('CI', undefined)
  expect(needs({ programs: [process.execPath, '/nowhere/sh'] })).toBe('needs /nowhere/sh')
})

it('says that VXLAN is missing where no device of it can be made', () => {
  vi.stubEnv('PATH', '/nowhere')
  vi.stubEnv('CI', undefined)
  expect(needs({ vxlan: true })).toBe('needs VXLAN in the kernel')
})

it('refuses to let a test be skipped with CI=true', () => {
  vi.stubEnv('CI', 'true')
  expect(() => needs({ programs: ['no-such-program'] })).toThrow(/no-such-program/)
})
