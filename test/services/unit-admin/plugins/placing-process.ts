/** Puts versions of a package in each other's place until it is killed: node placing-process.js <directory of the plugins>. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PackageDirectories } from '../../../../services/unit-admin/plugins/package-directories.js'

const packages = new PackageDirectories(process.argv[2] ?? '')
for (let version = 1; ; version += 1) {
  const prepared = await packages.prepare()
  const path = join(prepared, 'node_modules/blink')
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name: 'blink', version: `${version}` }))
  writeFileSync(join(path, 'index.js'), `${version}`)
  await packages.place('blink', prepared)
  if (version === 1) process.stdout.write('placed\n')
}
