import { expect, test } from 'vitest'
import { obstacle } from './obstacles.ts'

test('io_uring is named, in place of what CRIU says of it', () => {
  const lines = [
    'Error (criu/proc_parse.c:479): Unknown shit 600 (anon_inode:[io_uring])',
    "Error (criu/proc_parse.c:707): Can't open 30309's mapfile link 7f155c074000: No such device or address",
    'Error (criu/cr-dump.c:1570): Collect mappings (pid: 30309) failed with -1',
  ]
  expect(obstacle(lines)).toEqual({
    code: 'failed_precondition',
    name: expect.stringMatching(/^io_uring, which CRIU does not know/),
  })
})
