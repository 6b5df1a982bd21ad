import { describe, expect, it } from 'vitest'
import type { ContainerDefaults } from '../image-config.ts'
import { defaultSpec } from './default-spec.ts'
import { defaultPath } from './env.ts'
import { withImageConfig } from './image-options.ts'
import { withCwd, withEnv, withProcessArgs } from './process-options.ts'
import { buildSpec } from './spec-option.ts'

const image: ContainerDefaults = {
  env: ['A=1', 'PATH=/bin'],
  entrypoint: ['/entry'],
  cmd: ['default'],
  labels: {},
  volumes: [],
}
const user = { uid: 5, gid: 6, additionalGids: [6, 7] }
const base = defaultSpec({ namespace: 'a', id: 'b' })

describe('withImageConfig', () => {
  it('takes program, variables, directory and user', () => {
    const { process } = buildSpec(base, [withImageConfig({ ...image, workingDir: '/work' }, { user })])
    expect(process).toMatchObject({
      args: ['/entry', 'default'],
      env: ['A=1', 'PATH=/bin'],
      cwd: '/work',
      user,
    })
  })

  it('puts other arguments in the place of the image’s, after its entrypoint', () => {
    const { process } = buildSpec(base, [withImageConfig(image, { user, args: ['mine'] })])
    expect(process?.args).toEqual(['/entry', 'mine'])
    const replaced = buildSpec(base, [withImageConfig(image, { user }), withProcessArgs(['mine'])])
    expect(replaced.process?.args).toEqual(['mine'])
  })

  it('keeps variables that are set already, before or after', () => {
    const early = buildSpec(base, [withEnv(['A=2']), withImageConfig(image, { user })])
    expect(early.process?.env).toEqual(['A=2', 'PATH=/bin'])
    const late = buildSpec(base, [withImageConfig(image, { user }), withEnv(['A=2'])])
    expect(late).toEqual(early)
  })

  it('gives a search path to an image without one', () => {
    const { process } = buildSpec(base, [withImageConfig({ ...image, env: ['A=1'] }, { user })])
    expect(process?.env).toEqual([defaultPath, 'A=1'])
  })

  it('asks for a program', () => {
    const empty = { ...image, entrypoint: [], cmd: [] }
    expect(() => buildSpec(base, [withImageConfig(empty, { user })])).toThrow('process.args')
  })

  it.each(['A', '=x', 'A\n=1', 'A=\0'])('B16 refuses the variable %j', (variable) => {
    expect(() => withImageConfig({ ...image, env: ['B=1', variable] }, { user })).toThrow(
      'image config: Env[1]',
    )
  })

  it.each([
    'work',
    './work',
    '/a\n',
    '/a\0',
    '/proc/self/fd/7',
    '/proc/self/fd',
    '/proc/self/cwd/..',
    '/proc//self/./root',
    '/a/../proc/1/cwd',
    '/proc/thread-self/fd/9',
    '/proc/self/task/1/fd/7',
    '/dev/fd/8',
    '/dev/stdin',
  ])('B18 refuses the working directory %j, from the image and from the user', (workingDir) => {
    expect(() => withImageConfig({ ...image, workingDir }, { user })).toThrow('image config: WorkingDir')
    expect(() => buildSpec(base, [withProcessArgs(['a']), withCwd(workingDir)])).toThrow('spec: process.cwd')
  })

  it.each(['/', '/proc', '/proc/sys', '/dev', '/dev/fdx', '/home/proc/self', '/a b'])(
    'takes the working directory %j',
    (workingDir) => {
      const { process } = buildSpec(base, [withImageConfig({ ...image, workingDir }, { user })])
      expect(process?.cwd).toBe(workingDir)
    },
  )

  it('B15 shares nothing between containers of one image', () => {
    const option = withImageConfig(image, { user })
    const one = buildSpec(base, [option])
    const other = buildSpec(base, [option])
    ;(one.process!.env as string[]).push('SECRET=1')
    ;(one.process!.args as string[]).push('more')
    ;(one.process!.user.additionalGids as number[]).push(0)
    ;(one.mounts![0]!.options as string[]).push('exec')
    expect(other).toEqual(
      buildSpec(defaultSpec({ namespace: 'a', id: 'b' }), [withImageConfig(image, { user })]),
    )
    expect(image.env).toEqual(['A=1', 'PATH=/bin'])
    expect(user.additionalGids).toEqual([6, 7])
  })
})
