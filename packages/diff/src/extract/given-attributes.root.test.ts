import { execFileSync } from 'node:child_process'
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { fileCalls } from '@nsbox/sys/files'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type LayerSandbox, layerSandbox } from '../testing/layer-sandbox.ts'

describeWith({ linux: true, root: true }, 'what has its owner and mode from the start', () => {
  let sandbox: LayerSandbox
  beforeEach(async () => {
    sandbox = await layerSandbox()
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  function ofFile(name: string): { uid: number; gid: number; mode: number } {
    const { uid, gid, mode } = lstatSync(join(sandbox.root, name))
    return { uid, gid, mode: mode & 0o7777 }
  }

  const file = { content: 'x', uid: 0, gid: 0 }
  const directory = { type: '5', uid: 0, gid: 0 }

  test('is as the layer says, with modes that the umask allows and others', async () => {
    const modes = [0o644, 0o755, 0o600, 0o666, 0o777, 0o4755, 0o2755, 0o1644, 0, 0o444]
    await sandbox.apply(modes.map((mode) => ({ ...file, name: `f${mode}`, mode })))
    for (const mode of modes) expect(ofFile(`f${mode}`)).toEqual({ uid: 0, gid: 0, mode })
  })

  test('is as the layer says of directories, whoever owns them, and however often they are described', async () => {
    const modes = [0o755, 0o700, 0o750, 0o775, 0o777, 0o1777, 0o2755, 0o2770, 0, 0o500]
    await sandbox.apply([
      ...modes.map((mode) => ({ ...directory, name: `own${mode}/`, mode })),
      ...modes.map((mode) => ({ ...directory, name: `theirs${mode}/`, mode, uid: 7, gid: 50 })),
      ...modes.map((mode) => ({ ...directory, name: `own${0o2770}/${mode}/`, mode })),
      ...modes.map((mode) => ({ ...directory, name: `again${mode}/`, mode: 0o755, uid: 7 })),
      ...modes.map((mode) => ({ ...directory, name: `again${mode}/`, mode })),
      { ...file, name: 'replaced', mode: 0o644 },
      { ...directory, name: 'replaced/', mode: 0o750 },
    ])
    for (const mode of modes) {
      expect(ofFile(`own${mode}`)).toEqual({ uid: 0, gid: 0, mode })
      expect(ofFile(`theirs${mode}`)).toEqual({ uid: 7, gid: 50, mode })
      expect(ofFile(`own${0o2770}/${mode}`)).toEqual({ uid: 0, gid: 0, mode })
      expect(ofFile(`again${mode}`)).toEqual({ uid: 0, gid: 0, mode })
    }
    expect(ofFile('replaced')).toEqual({ uid: 0, gid: 0, mode: 0o750 })
  })

  test('is as the layer says in directories that give their group, by whatever name they are reached', async () => {
    await sandbox.apply([
      { ...file, name: 'first', mode: 0o644 },
      { ...directory, name: 'd/', mode: 0o755 },
      { ...directory, name: 'd/sub/', mode: 0o755 },
      { type: '2', name: 'link', linkName: 'd/sub', uid: 0, gid: 0 },
      { ...file, name: 'd/sub/before', mode: 0o644 },
      { ...directory, name: 'link/', mode: 0o755 },
      { type: '2', name: 'other', linkName: 'd', uid: 0, gid: 0 },
      { ...file, name: 'd/sub/again', mode: 0o644 },
      { ...directory, name: 'other/sub/', mode: 0o2775, gid: 50 },
      { ...file, name: 'd/sub/after', mode: 0o644 },
      { type: '2', name: 'd/sub/after-link', linkName: 'x', uid: 0, gid: 0 },
      { ...directory, name: 'd/sub/deep/', mode: 0o755 },
      { ...file, name: 'd/sub/deep/file', mode: 0o644 },
      { ...file, name: 'd/sub/theirs', mode: 0o644, uid: 7, gid: 50 },
    ])
    const root = { uid: 0, gid: 0, mode: 0o644 }
    expect(ofFile('d/sub')).toEqual({ uid: 0, gid: 50, mode: 0o2775 })
    expect(ofFile('d/sub/after')).toEqual(root)
    expect(ofFile('d/sub/after-link')).toEqual({ ...root, mode: 0o777 })
    expect(ofFile('d/sub/deep')).toEqual({ uid: 0, gid: 0, mode: 0o755 })
    expect(ofFile('d/sub/deep/file')).toEqual(root)
    expect(ofFile('d/sub/theirs')).toEqual({ uid: 7, gid: 50, mode: 0o644 })
  })

  test('is as the layer says below a directory that hands down a mode or a group', async () => {
    execFileSync('chgrp', ['50', sandbox.root])
    execFileSync('chmod', ['2755', sandbox.root])
    await sandbox.apply([
      { ...file, name: 'file', mode: 0o644 },
      { type: '2', name: 'link', linkName: 'x', uid: 0, gid: 0 },
      { ...directory, name: 'd/', mode: 0o755 },
    ])
    for (const name of ['file', 'link', 'd']) expect(ofFile(name)).toMatchObject({ uid: 0, gid: 0 })
    expect(ofFile('d').mode).toBe(0o755)
  })

  test('is as the layer says below a directory that hands down an access list', async () => {
    // Version 2; then the owner with all permissions, the group and others with none: tag, permissions, no id.
    const acl = Buffer.from('0200000001000700ffffffff04000000ffffffff20000000ffffffff', 'hex')
    expect(fileCalls.lsetxattr(sandbox.root, 'system.posix_acl_default', acl)).toBe(0)
    const modes = [0o600, 0o644, 0o755]
    await sandbox.apply(modes.map((mode) => ({ ...file, name: `f${mode}`, mode })))
    for (const mode of modes) expect(ofFile(`f${mode}`).mode).toBe(mode)
  })
})
