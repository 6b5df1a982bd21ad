import { mkdir } from 'node:fs/promises'
import { runOrThrow } from './run.ts'

/**
 * Makes a directory with one of every kind of file that a Debian system may have, and odder ones: the same each time.
 * Needs root, and Debian's `libcap2-bin` and `python3`.
 */
export async function makeOddTree(path: string): Promise<void> {
  await mkdir(path)
  await runOrThrow('sh', ['-c', script], { cwd: path })
}

const script = `
set -e
umask 022
mkdir -p usr/bin usr/lib 'usr/share/doc/näme' var/tmp etc dev empty 'sp ace/new
line'
ln -s usr/bin bin; ln -s usr/lib lib; ln -s /etc/absolute etc/link; ln -s missing dangling
printf hello > usr/bin/tool; chmod 4755 usr/bin/tool; ln usr/bin/tool usr/bin/tool2; ln usr/bin/tool usr/lib/tool3
printf caps > usr/bin/ping; chmod 755 usr/bin/ping; setcap cap_net_raw+ep usr/bin/ping
printf sg > usr/bin/wall; chown 0:5 usr/bin/wall; chmod 2755 usr/bin/wall
chmod 1777 var/tmp; chmod 700 empty; chown 1000:1000 empty
chmod 2775 etc; chown 33:34 usr/share
printf data > etc/file; chmod 000 etc/file
/usr/bin/python3 - <<'PY'
import os
os.setxattr('etc/file', 'user.note', b'with \\x00 and \\xff')
os.setxattr('usr/lib', 'user.dir', b'yes')
os.setxattr('etc/file', 'trusted.note', b'kept')
open(b'etc/raw-\\xff\\xfe', 'w').write('not utf-8')
os.makedirs('long')
open('long/' + 'n' * 255, 'w').write('long')
deep = 'long/' + '/'.join(['d' * 60] * 20)
os.makedirs(deep)
open(deep + '/' + 'e' * 150, 'w').write('deep')
os.symlink('t' * 300, 'long/link')
os.link(deep + '/' + 'e' * 150, 'long/hard')
open('big', 'wb').write(bytes(range(256)) * 5000)
with open('sparse', 'wb') as f:
    f.seek(1 << 20); f.write(b'x' * 4096); f.seek(3 << 20); f.write(b'y'); f.truncate(5 << 20)
with open('many-holes', 'wb') as f:
    for i in range(60):
        f.seek(i << 17); f.write(b'z' * 4096)
PY
mknod dev/null c 1 3; mknod dev/disk b 259 300; chmod 660 dev/disk; chown 0:6 dev/disk
mkfifo -m 640 var/fifo; ln dev/null dev/zero2; ln etc/link etc/link2
find . -exec touch -h -d '2020-01-02 03:04:05Z' {} +
touch -d '2001-02-03 04:05:06.123456789Z' etc/file
touch -d '1969-12-31 23:59:58Z' dangling -h
touch -d '2300-01-01Z' usr/lib
touch -d '2010-10-10 10:10:10.5Z' usr/bin etc var .
`
