import type { RootfsReader } from '../runtime-spec/user.ts'

/** Files of a root file system, by their paths without the leading slash. */
export const accounts = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1001:web:/srv:/bin/sh\n',
  'etc/group': 'root:x:0:\nweb:x:1001:\nextra:x:2000:root,web\nmore:x:3000:web\n',
}

/** Reads such files. */
export function rootfsFiles(files: Readonly<Record<string, string>>): RootfsReader {
  return {
    async readFile(path) {
      const text = files[path.slice(1)]
      return text === undefined ? undefined : new TextEncoder().encode(text)
    },
  }
}
