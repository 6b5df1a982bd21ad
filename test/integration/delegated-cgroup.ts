import { cgroupsNamed, runOrThrow } from '@nsbox/testing'
import { testUser } from './ordinary-user.ts'

/**
 * A cgroup that an ordinary user may divide further, as a host's systemd gives them one. Disposing of it removes it in
 * all hierarchies, with those below, which must be empty.
 */
export interface DelegatedCgroup extends AsyncDisposable {
  /** Shell commands that make it and enter it, to be run as root. */
  readonly enter: string
}

export function delegatedCgroup(name: string): DelegatedCgroup {
  const enter = `
    for mounted in $(awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/mounts); do
      mkdir -p $mounted/${name}
      for file in cpuset.cpus cpuset.mems; do
        [ ! -e $mounted/$file ] || cat $mounted/$file >$mounted/${name}/$file
      done
      own=$mounted/${name}
      # Where this hierarchy has all controllers, a cgroup with processes gives them to no others.
      if [ $mounted = /sys/fs/cgroup ]; then
        mkdir -p $own/server
        echo '+cpu +memory +pids' >$own/cgroup.subtree_control
        own=$own/server
      fi
      chown -R ${testUser} $mounted/${name}
      echo $$ >$own/cgroup.procs
    done`
  return {
    enter,
    async [Symbol.asyncDispose]() {
      for (const path of await cgroupsNamed(name))
        await runOrThrow('find', [path, '-depth', '-type', 'd', '-delete'])
    },
  }
}
