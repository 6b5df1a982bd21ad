import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

/** What an attacker has managed to do, by kind. */
export type Deeds = Readonly<Record<string, number>>

/** A process that changes a tree without a pause. */
export interface Attacker {
  /** Ends it, and tells what it has done. */
  end(): Promise<Deeds>
}

/** Where it goes on. */
export interface AttackedTree {
  /** A directory in which `tree` is made and vanishes again, as the attacker sees it. */
  readonly directory: string
  /** A directory of the host that nobody may touch, which planted links lead to. */
  readonly outside: string
}

/** Where its attack is written to be run. */
const program = `
use strict; use Fcntl; use Config;
my ($directory, $outside, $kind) = @ARGV;
my $tree = "$directory/tree";
my %done;
my $end = 0;
$SIG{TERM} = $SIG{INT} = sub { $end = 1 };
sub make { my $file; open($file, '>', $_[0]) and print($file 'x') and $done{files}++ }
sub pause { select(undef, undef, undef, 0.0001 * int(rand(10))) if rand() < 0.3 }
# mount(2) and umount2(2) by number; MS_BIND, and MNT_DETACH with UMOUNT_NOFOLLOW.
my ($mount, $umount) = $Config{archname} =~ /aarch64/ ? (40, 39) : (165, 166);
sub mounts {
  my ($place) = @_;
  sysopen(my $fd, $place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) or return;
  my $by = "/proc/$$/fd/" . fileno($fd);
  my $none = 0;
  $done{mounts}++ if syscall($mount, $outside, $by, $none, 4096, $none) == 0;
  close($fd);
  pause();
  syscall($umount, $place, 10);
}
my $count = 0;
while (!$end) {
  my ($one, $other) = (int(rand(8)), int(rand(8)));
  my $place = "$tree/d$one";
  my $aside = "$tree/aside$one-$$";
  my $way = int(rand(6));
  if ($kind eq 'mounts') { mounts($place); select(undef, undef, undef, 0.002); next }
  if ($way <= 1) {
    # A directory becomes a link and a directory again.
    next unless rename($place, $aside);
    $done{links}++ if symlink($outside, $place);
    pause();
    unlink($place);
    $done{back}++ if rename($aside, $place);
  } elsif ($way == 2) {
    # A link becomes a directory.
    next unless symlink("$outside/d$other", "$tree/l$one");
    pause();
    unlink("$tree/l$one");
    mkdir("$tree/l$one") and make("$tree/l$one/f1") and $done{directories}++;
  } elsif ($way == 3) {
    # Across, into another directory.
    $done{across}++ if rename("$place/sub", "$tree/d$other/sub$one");
  } elsif ($way == 4) {
    # Out of the tree, and back.
    my $away = "$directory/away$one-$$";
    if (rename($place, $away)) { $done{away}++; pause(); rename($away, $place) }
  } else {
    mkdir($place) and $done{directories}++;
    make("$place/f" . (++$count % 40));
    symlink("$outside/f1", "$place/sub/link$one") and $done{links}++;
  }
}
print join(' ', map { "$_=$done{$_}" } keys %done), "\\n";
`

/** Writes the attack into a directory that all attackers can read. */
export async function writeAttack(directory: string): Promise<void> {
  await writeFile(join(directory, 'attack.pl'), program, { mode: 0o644 })
}

/** A process of the host, of a user that is nobody else; or one of root that mounts. */
export function attackFromHost(
  { directory, outside }: AttackedTree,
  kind: 'names' | 'mounts',
  uid?: number,
): Attacker {
  const script = join(directory, 'attack.pl')
  return attacker(
    spawn('perl', [script, directory, outside, kind], {
      ...(uid === undefined ? {} : { uid, gid: uid }),
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
    (child) => child.kill('SIGTERM'),
  )
}

/**
 * The first process of a container of runc's without capabilities and new privileges, whose root filesystem has the
 * attacked directory as its /w. It has Perl of the host, read-only.
 *
 * @param scratch a directory for its bundle, in which nothing is left but that
 */
export async function attackFromContainer(
  { directory, outside }: AttackedTree,
  scratch: string,
  uid: number,
): Promise<Attacker> {
  const bundle = join(scratch, 'bundle')
  const rootfs = join(bundle, 'rootfs')
  for (const path of [bundle, rootfs, join(rootfs, 'proc'), join(rootfs, 'usr'), join(rootfs, 'w')])
    await mkdir(path, { mode: 0o755 })
  for (const name of ['bin', 'lib', 'lib64']) await symlink(`usr/${name}`, join(rootfs, name))
  const bind = (source: string, destination: string, options: readonly string[]) => ({
    source,
    destination,
    type: 'bind',
    options: ['rbind', 'rprivate', ...options],
  })
  const spec = {
    ociVersion: '1.0.2',
    process: {
      user: { uid, gid: uid },
      args: ['perl', '/w/attack.pl', '/w', outside, 'names'],
      env: ['PATH=/usr/bin'],
      cwd: '/',
      capabilities: {},
      noNewPrivileges: true,
    },
    root: { path: 'rootfs' },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      bind('/usr', '/usr', ['ro']),
      bind(directory, '/w', ['rw']),
    ],
    linux: { namespaces: ['pid', 'mount', 'network', 'ipc', 'uts'].map((type) => ({ type })) },
  }
  await writeFile(join(bundle, 'config.json'), JSON.stringify(spec))
  const id = `nsbox-attack-${process.pid}`
  const root = ['--root', join(scratch, 'runc')]
  const child = spawn('runc', [...root, 'run', '--bundle', bundle, id], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // runc passes signals on to the container's first process.
  return attacker(child, () => child.kill('SIGTERM'))
}

function attacker(child: ChildProcess, stop: (child: ChildProcess) => void): Attacker {
  const said = text(child.stdout!)
  const exit = once(child, 'exit')
  return {
    async end() {
      stop(child)
      await exit
      const words = (await said)
        .trim()
        .split(' ')
        .filter((word) => word !== '')
      return Object.fromEntries(words.map((word) => [word.split('=')[0]!, Number(word.split('=')[1])]))
    },
  }
}
