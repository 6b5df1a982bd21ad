#!/usr/bin/env node
// What is about the command line itself needs nothing of the server.
const questions = ['-h', '--help', '-v', '--version', 'completion', '__complete', 'man']
if (process.argv.slice(2).some((argument) => questions.includes(argument))) {
  await import('../dist/nsbox-server-help.js')
} else {
  await import('../dist/v8-flags.js')
  await import('../dist/nsbox-server.js')
}
