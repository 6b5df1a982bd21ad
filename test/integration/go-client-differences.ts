/**
 * Where a client sees something else from nsbox-server than from containerd, and why: the scenarios of `go-client`, and
 * in each the steps. A step that is told several times has a number from the second on.
 */
export const differences: Readonly<Record<string, Readonly<Record<string, string>>>> = {}
