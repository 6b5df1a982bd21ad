import { unsupported } from './unsupported.ts'

/** macOS has neither bind mounts nor overlays. */
export const darwin = unsupported('macOS')
