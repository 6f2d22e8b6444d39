import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { until } from '../../../support/until.js'
import { PluginLab } from './plugin-lab.js'

let lab: PluginLab
beforeEach(() => {
  lab = new PluginLab(temporaryDirectory())
})
afterEach(() => lab.stop())

const entry = (name: string): string =>
  join(lab.dot, `plugins/packages/${encodeURIComponent(name)}/node_modules/${name}`)
const leftovers = (): string[] => {
  const incoming = join(lab.dot, 'plugins/.incoming')
  return existsSync(incoming) ? readdirSync(incoming) : []
}

describe('a package', () => {
  test('is installed from an archive, replaced by another version, and removed', async () => {
    await lab.start()
    const first = lab.packed('air-bubbler', '1.0.0', { description: 'Bubbles.', author: 'Lab' })
    expect(await lab.install('Air_Bubbler', first)).toMatchObject({ status: 'succeeded', result: true })
    expect(lab.installed()).toEqual({
      'packages/air-bubbler': {
        name: 'air-bubbler',
        version: '1.0.0',
        description: 'Bubbles.',
        homepage: null,
        source: 'entry_points',
        author: 'Lab',
      },
    })
    expect(readFileSync(join(entry('air-bubbler'), 'index.js'), 'utf8')).toContain('1.0.0')
    await lab.install('air-bubbler', lab.archive('air-bubbler', '2.0.0'))
    expect(lab.versions()).toEqual(['packages/air-bubbler 2.0.0'])
    expect(readFileSync(join(entry('air-bubbler'), 'index.js'), 'utf8')).toContain('2.0.0')
    expect(await lab.uninstall('air_bubbler')).toMatchObject({ status: 'succeeded', result: true })
    expect([lab.versions(), existsSync(entry('air-bubbler')), leftovers()]).toEqual([[], false, []])
    expect(lab.said()).toEqual([
      'Installing plugin Air_Bubbler: done.',
      'Installing plugin air-bubbler: done.',
      'Uninstalling plugin air_bubbler: done.',
    ])
  })

  test('is installed from a directory, with its scope; no link leads out of it, and nothing of npm is left', async () => {
    await lab.start()
    await lab.install('@lab/pump', lab.directory('@lab/pump', '1.0.0', { bin: { pump: 'index.js' } }))
    expect(lab.versions()).toEqual(['packages/%40lab%2Fpump 1.0.0'])
    const prefix = join(lab.dot, 'plugins/packages/%40lab%2Fpump')
    expect(execFileSync('find', [prefix, '-type', 'l']).toString()).toBe('')
    expect(execFileSync('find', [prefix, '-perm', '/077']).toString()).toBe('')
    expect(readdirSync(prefix).sort()).toEqual(['node_modules', 'package-lock.json', 'package.json'])
    expect(await lab.uninstall('@lab/pump')).toMatchObject({ status: 'succeeded' })
    expect(lab.versions()).toEqual([])
  })

  test('comes from the registry, in the version asked for, with what it depends on', async () => {
    const archives = [lab.archive('blink', '1.0.0', { dependencies: { lamp: '^1.0.0' } }), lab.archive('lamp', '1.4.0')]
    const registry = createServer(({ url = '' }, response) => {
      const archive = archives.find((path) => url === `/${basename(path)}`)
      if (archive !== undefined) return void response.end(readFileSync(archive))
      const found = archives.find((path) => basename(path).startsWith(`${url.slice(1)}-`))
      if (found === undefined) return void response.writeHead(404).end('{}')
      const manifest = JSON.parse(readFileSync(join(found, '../package/package.json'), 'utf8')) as { version: string }
      const tarball = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/${basename(found)}`
      const versions = { [manifest.version]: { ...manifest, dist: { tarball } } }
      response.end(JSON.stringify({ name: url.slice(1), 'dist-tags': { latest: manifest.version }, versions }))
    })
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve))
    try {
      lab.npm = { ...lab.npm, registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}` }
      await lab.start()
      expect(await lab.install('blink@1.0.0')).toMatchObject({ status: 'succeeded', result: true })
      expect(lab.versions()).toEqual(['packages/blink 1.0.0'])
      expect(existsSync(join(lab.dot, 'plugins/packages/blink/node_modules/lamp/index.js'))).toBe(true)
      expect(await lab.install('blink@9.9.9')).toMatchObject({
        status: 'failed',
        error: { code: 'plugin.not_installed' },
      })
      const unknown = await lab.install('nobody-has-this')
      expect(unknown.error?.message).toContain('E404')
      expect(lab.versions()).toEqual(['packages/blink 1.0.0'])
    } finally {
      registry.close()
    }
  })

  test('runs nothing of its own while it is installed, unless that is allowed', async () => {
    const ran = join(lab.home, 'ran')
    const scripts = Object.fromEntries(
      ['preinstall', 'install', 'postinstall', 'prepare'].map((name) => [name, `nice > ${ran}`]),
    )
    await lab.start()
    await lab.install('loud', lab.archive('loud', '1.0.0', { scripts }))
    await lab.install('loud', lab.directory('loud', '1.1.0', { scripts }))
    await lab.uninstall('loud')
    expect(existsSync(ran)).toBe(false)
    await lab.stop()
    lab.npm = { ...lab.npm, scripts: 'run' }
    await lab.start()
    expect(await lab.install('loud', lab.archive('loud', '2.0.0', { scripts }))).toMatchObject({ status: 'succeeded' })
    // What is measured meanwhile goes first.
    expect(readFileSync(ran, 'utf8')).toBe('10\n')
  })

  test.each([
    [
      'that does not say it is a plugin',
      () => lab.archive('blink', '2.0.0', { keywords: ['lamp'] }),
      'is no plugin of Benchlog',
    ],
    ['that is another one', () => lab.archive('other', '2.0.0'), 'called other, not blink'],
    ['of Python', () => join(lab.home, 'blink-2.0-py3-none-any.whl'), 'package of Python'],
    ['that is not there', () => join(lab.home, 'blink.tgz'), 'ENOENT'],
    ['that is none', () => brokenArchive(), 'npm could not install it'],
    [
      'whose dependencies cannot be had',
      () => lab.archive('blink', '2.0.0', { dependencies: { gone: '1' } }),
      'npm could not',
    ],
    ['that is an empty directory', () => emptyDirectory(), 'package.json'],
  ])('%s is refused by its task, and the one before it stays', async (_, source, reason) => {
    lab.write('plugins/packages/blink/node_modules/blink/package.json', '{"name":"blink","version":"1.0.0"}')
    await lab.start()
    const task = await attempt(() => lab.install('blink', source()))
    expect(task).toContain(reason)
    expect([lab.versions(), leftovers()]).toEqual([['packages/blink 1.0.0'], []])
    expect(readFileSync(join(entry('blink'), 'package.json'), 'utf8')).toContain('1.0.0')
  })

  test('that cannot be read costs itself alone, and is named in the log once', async () => {
    lab.write('plugins/packages/broken/node_modules/broken/package.json', '{')
    lab.write('plugins/packages/renamed/node_modules/renamed/package.json', '{"name":"x","version":"1"}')
    mkdirSync(join(lab.dot, 'plugins/packages/%zz'), { recursive: true })
    lab.write('plugins/packages/good/node_modules/good/package.json', '{"name":"good","version":"1"}')
    await lab.start()
    await lab.clock.advance(20_000)
    expect(lab.versions()).toEqual(['packages/good 1'])
    const named = lab.logger.lines.map((line) => JSON.stringify(line))
    expect(named.filter((line) => line.includes('plugins/packages/broken'))).toHaveLength(1)
    expect(named.filter((line) => line.includes('calls it x'))).toHaveLength(1)
    expect(await lab.uninstall('broken')).toMatchObject({ status: 'succeeded' })
    expect(existsSync(join(lab.dot, 'plugins/packages/broken'))).toBe(false)
  })
})

const emptyDirectory = (): string => {
  const path = join(lab.home, 'empty')
  mkdirSync(path, { recursive: true })
  return path
}
const brokenArchive = (): string => {
  const path = join(lab.home, 'broken.tgz')
  writeFileSync(path, 'no archive')
  return path
}
/** Why it did not succeed, at once or as a task. */
const attempt = async (install: () => ReturnType<PluginLab['install']>): Promise<string> =>
  install().then(
    ({ error }) => error?.message ?? 'succeeded',
    (error: Error) => error.message,
  )

describe('a single file', () => {
  test('is installed under its name, listed by what it says, and removed before a package of that name', async () => {
    await lab.start()
    const source = join(lab.home, 'downloaded.py')
    writeFileSync(source, '__plugin_name__ = "Blink"\n__plugin_version__ = "0.2.0"\n')
    expect(await lab.install('blink', source)).toMatchObject({ status: 'succeeded', result: true })
    expect(lab.installed()['files/blink.py']).toMatchObject({
      name: 'Blink',
      version: '0.2.0',
      source: 'plugins/blink.py',
    })
    await lab.install('blink', lab.archive('blink', '1.0.0'))
    expect(lab.versions()).toEqual(['files/blink.py 0.2.0', 'packages/blink 1.0.0'])
    await lab.uninstall('blink')
    expect(lab.versions()).toEqual(['packages/blink 1.0.0'])
  })

  test('that somebody puts there, changes or takes away is noticed; what is told is not told again', async () => {
    lab.write('plugins/a.py', '')
    await lab.start()
    expect(lab.versions()).toEqual(['files/a.py Unknown'])
    const told = lab.broker.published.length
    await lab.clock.advance(20_000)
    expect(lab.broker.published).toHaveLength(told)
    lab.write('plugins/a.py', '__plugin_version__ = "2"')
    lab.write('plugins/b.mjs', '')
    await lab.clock.advance(5000)
    await until(() => lab.versions().join() === 'files/a.py 2,files/b.mjs Unknown', 'both files')
    await lab.stop()
    rmSync(join(lab.dot, 'plugins/b.mjs'))
    const before = lab.broker.published.length
    await lab.start()
    const since = lab.broker.published.slice(before).filter(({ topic }) => topic.includes('/plugins/'))
    expect(since.map(({ topic, payload }) => [topic, payload])).toEqual([['system/u1/plugins/files/b.mjs', '']])
  })

  test('is one: links, pipes, directories, hidden and huge ones are left out', async () => {
    lab.write('plugins/notes.txt', '')
    lab.write('plugins/.hidden.py', '')
    lab.write('plugins/huge.py', 'x'.repeat(1024 * 1024 + 1))
    mkdirSync(join(lab.dot, 'plugins/directory.py'))
    symlinkSync('/etc/hostname', join(lab.dot, 'plugins/link.py'))
    execFileSync('mkfifo', [join(lab.dot, 'plugins/pipe.py')])
    lab.write('plugins/good.py', '')
    await lab.start()
    expect(lab.versions()).toEqual(['files/good.py Unknown'])
    expect(await attempt(() => lab.install('x', join(lab.dot, 'plugins/link.py')))).toContain('could not be installed')
  })
})

describe('orders', () => {
  test('for what is not there succeed, with a warning', async () => {
    await lab.start()
    expect(await lab.uninstall('nothing')).toMatchObject({ status: 'succeeded', result: true })
    expect(lab.said()).toEqual(['Uninstalling plugin nothing: there is none.'])
  })

  test('that come together are carried out one after the other', async () => {
    await lab.start()
    const sources = ['1.0.0', '2.0.0', '3.0.0'].map((version) => lab.archive('blink', version))
    const ids = await Promise.all(sources.map((source) => lab.begin('blink', source)))
    const ends = await Promise.all(ids.map((id) => lab.end(id)))
    expect(ends.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded'])
    expect(lab.versions()).toEqual(['packages/blink 3.0.0'])
  })

  test.each([
    ['../x', null],
    ['--prefix=/', null],
    ['x@1.0.0', '/tmp/x.tgz'],
    ['@lab/x', '/tmp/x.py'],
    ['x', 'https://user:secret@lab.example/x.tgz'],
  ])('for %s from %s are refused, and nothing is done', async (name, source) => {
    await lab.start()
    const before = lab.broker.published.length
    await expect(lab.begin(name, source)).rejects.toThrow(/name|source|version/i)
    expect(lab.broker.published).toHaveLength(before)
    expect(existsSync(join(lab.dot, 'plugins'))).toBe(false)
  })

  test('are refused while a file forbids them; a directory of its name does not', async () => {
    lab.write('plugins/a.py', '')
    await lab.start()
    const flag = join(lab.dot, 'DISALLOW_UI_INSTALLS')
    writeFileSync(flag, '')
    await expect(lab.begin('x', '/tmp/x.tgz')).rejects.toThrow('DISALLOW_UI_INSTALLS is present')
    await expect(lab.uninstall('a')).rejects.toThrow('DISALLOW_UI_INSTALLS is present')
    expect(lab.versions()).toEqual(['files/a.py Unknown'])
    rmSync(flag)
    mkdirSync(flag)
    expect(await lab.uninstall('a')).toMatchObject({ status: 'succeeded' })
  })

  test('are refused while the log cannot be written', async () => {
    const service = await lab.start()
    await service.suspend('the disk is full')
    await expect(lab.begin('x', '/tmp/x.tgz')).rejects.toThrow('the disk is full')
    await service.resume()
    expect(await lab.install('x', '/nowhere/x.tgz')).toMatchObject({ status: 'failed' })
  })

  test('end with the services, and leave nothing of theirs', async () => {
    // It takes connections and never answers.
    const registry = createServer(() => undefined)
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve))
    try {
      lab.npm = { ...lab.npm, registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}` }
      const asked = new Promise<void>((resolve) => registry.once('request', () => resolve()))
      await lab.start()
      const id = await lab.begin('slow', null)
      await asked
      await lab.stop()
      expect(lab.task(id)).toMatchObject({ status: 'failed', error: { code: 'task.interrupted' } })
      expect([lab.versions(), leftovers()]).toEqual([[], []])
    } finally {
      registry.closeAllConnections()
      registry.close()
    }
  })
})
