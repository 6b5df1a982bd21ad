export type { NewSandbox, Sandbox, SandboxChange, SandboxRuntime, SandboxStore } from './sandbox-store.ts'
