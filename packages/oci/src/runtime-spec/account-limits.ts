/** The greatest user or group id; the one above means "unchanged" to the kernel. */
export const maxId = 4_294_967_294

/** Most bytes of `/etc/passwd` and `/etc/group`: 1 MiB. */
export const maxAccountFile = 1024 * 1024
