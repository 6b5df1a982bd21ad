/**
 * The flags of V8 that `nsbox-server` sets, for the reasons that stand there. Threads find their compiled code only in
 * a process with the same flags.
 */
export const serverFlags: readonly string[] = [
  '--heap-growing-percent=200',
  '--wasm-tiering-budget=1000000000',
]
