// After `npm ci`: sees that node_modules/.bin/node is there, so that npm's scripts run on the Node that the lockfile
// pins. npm 10, which comes with Node 20 and 22, links it, and takes it away again when it drops the packages for
// other platforms, which have a `node` too. Runs on whatever Node is installed; plain JavaScript for that reason.
import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const modules = new URL('../node_modules/', import.meta.url)
const { optionalDependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const program = process.platform === 'win32' ? 'node.exe' : 'node'
const links = process.platform === 'win32' ? ['node.cmd', 'node.exe'] : ['node']

for (const name of Object.keys(optionalDependencies)) {
  const pinned = new URL(`${name}/bin/${program}`, modules)
  if (!existsSync(pinned) || links.some((link) => existsSync(new URL(`.bin/${link}`, modules)))) continue
  mkdirSync(new URL('.bin/', modules), { recursive: true })
  const link = fileURLToPath(new URL(`.bin/${program}`, modules))
  if (process.platform === 'win32') linkSync(fileURLToPath(pinned), link)
  else symlinkSync(`../${name}/bin/${program}`, link)
}
