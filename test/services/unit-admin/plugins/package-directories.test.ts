import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, test } from 'vitest'
import { PackageDirectories } from '../../../../services/unit-admin/plugins/package-directories.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

let root: string
let packages: PackageDirectories
beforeEach(() => {
  root = temporaryDirectory()
  packages = new PackageDirectories(root)
})

const prepared = async (text: string): Promise<string> => {
  const path = await packages.prepare()
  writeFileSync(join(path, 'version'), text)
  return path
}
const version = (): string => readFileSync(join(packages.path('@lab/blink'), 'version'), 'utf8')

describe('an install that is broken off', () => {
  test('before anything is in its place leaves the old version', async () => {
    await packages.place('@lab/blink', await prepared('1'))
    await prepared('2')
    await new PackageDirectories(root).recover()
    expect([version(), readdirSync(root)]).toEqual(['1', ['packages']])
  })

  test('between the old version and the new one brings the old one back', async () => {
    await packages.place('@lab/blink', await prepared('1'))
    await prepared('2')
    renameSync(packages.path('@lab/blink'), join(root, '.incoming/old-%40lab%2Fblink'))
    await new PackageDirectories(root).recover()
    expect([version(), readdirSync(root)]).toEqual(['1', ['packages']])
  })

  test('after the new version has its place keeps that', async () => {
    await packages.place('@lab/blink', await prepared('2'))
    mkdirSync(join(root, '.incoming/old-%40lab%2Fblink'), { recursive: true })
    await new PackageDirectories(root).recover()
    expect([version(), readdirSync(root)]).toEqual(['2', ['packages']])
  })

  test('by the disk leaves the old version at once', async () => {
    await packages.place('@lab/blink', await prepared('1'))
    await expect(packages.place('@lab/blink', join(root, '.incoming/gone'))).rejects.toThrow()
    expect(version()).toBe('1')
  })

  test('of the first version leaves none', async () => {
    await prepared('1')
    await packages.recover()
    expect([await packages.names(), existsSync(join(root, '.incoming'))]).toEqual([[], false])
  })

  test('by kill -9, whenever that comes, leaves one whole version', async () => {
    const script = fileURLToPath(new URL('placing-process.js', import.meta.url))
    for (let round = 0; round < 10; round += 1) {
      const child = spawn(process.execPath, [script, root], { stdio: ['ignore', 'pipe', 'inherit'] })
      await once(child.stdout, 'data')
      // The moment of the kill is what varies.
      await delay(round * 3)
      child.kill('SIGKILL')
      await once(child, 'close')
      await packages.recover()
      expect(await packages.names()).toEqual(['blink'])
      const path = join(packages.path('blink'), 'node_modules/blink')
      const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as { version: string }
      expect(readFileSync(join(path, 'index.js'), 'utf8')).toBe(manifest.version)
    }
  })
})
