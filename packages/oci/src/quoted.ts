export { quoted } from '@nsbox/errors'
