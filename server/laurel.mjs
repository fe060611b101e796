#!/usr/bin/env node
// Runs the command line (cli.ts) on a Node that reads TypeScript: this one, or the one that the lockfile pins.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NEEDED = [24, 11]
const cli = fileURLToPath(new URL('cli.ts', import.meta.url))

// What a list holds alive while it is under way should not be copied by every small collection: a quarter of the
// processor time of an API process with V8's own 16 MB. Only a new process can be told.
const FLAGS = ['--min-semi-space-size=64', '--max-semi-space-size=64']
const SERVES = ['start', 'api', 'import']

if (goodEnough(process.versions.node) && !SERVES.includes(process.argv[2])) {
  process.argv[1] = cli
  await import('./cli.ts')
} else {
  const node = goodEnough(process.versions.node) ? process.execPath : pinnedNode()
  if (!node) {
    console.error(
      `Laurel needs Node ${NEEDED.join('.')} or later, and this is ${process.versions.node}. ` +
        'Run `npm ci`, which brings the right one along, or install it.',
    )
    process.exit(1)
  }
  const child = spawn(node, [...FLAGS, cli, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name)
    if (signal) process.kill(process.pid, signal)
    else process.exit(code ?? 1)
  })
}

function goodEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])
}

/** `node_modules/.bin/node`, here or further up. */
function pinnedNode() {
  const name = process.platform === 'win32' ? 'node.cmd' : 'node'
  for (let at = dirname(cli); ; at = dirname(at)) {
    const node = join(at, 'node_modules/.bin', name)
    if (existsSync(node)) {
      const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8', shell: process.platform === 'win32' })
      if (stdout && goodEnough(stdout.trim().slice(1))) return node
    }
    if (at === dirname(at)) return undefined
  }
}
