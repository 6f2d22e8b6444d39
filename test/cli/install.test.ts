import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Installation, quoteWord, systemFiles } from '../../cli/install/system-files.js'
import { mainPath } from '../../cli/services-command.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

function benchlog(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [mainPath(), ...args], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

const UNIT = '/etc/systemd/system/benchlog.service'

describe('benchlog install', () => {
  it('prints every file and command of a dry run and writes nothing', () => {
    const { status, stdout } = benchlog('install', '--dry-run')
    expect(status).toBe(0)
    for (const path of [UNIT, '/etc/udev/rules.d/70-benchlog.rules', '/etc/benchlog/benchlog.env']) {
      expect(stdout).toContain(`==> ${path}\n`)
      expect(existsSync(path)).toBe(false)
    }
    expect(stdout).toContain('ExecStopPost=')
    expect(stdout).not.toMatch(/avahi|HTTP_PORT|CAP_/)
    expect(stdout).toContain('\nsystemctl enable benchlog.service\n')
  })

  it('writes, shows what it changes, keeps what is the user’s, and takes its own back', () => {
    const root = temporaryDirectory()
    const settings = join(root, 'etc/benchlog/benchlog.env')
    const install = (...options: readonly string[]) => benchlog('install', '--root', root, ...options)
    expect(install().stdout).toContain(`${root}${UNIT}: written`)
    expect((statSync(settings).mode & 0o777).toString(8)).toBe('600')
    expect((statSync(join(root, UNIT)).mode & 0o777).toString(8)).toBe('644')
    writeFileSync(settings, 'HOST=0.0.0.0\n')
    const again = install('--user', 'lab')
    expect(again.stdout).toContain(`${root}${UNIT}: replaced\n  - User=benchlog\n`)
    expect(again.stdout).toContain('  + User=lab\n')
    expect(again.stdout).toContain(`${settings}: unchanged`)
    expect(benchlog('uninstall', '--root', root).status).toBe(0)
    expect(existsSync(join(root, UNIT))).toBe(false)
    expect(readFileSync(settings, 'utf8')).toBe('HOST=0.0.0.0\n')
  })

  it('announces a worker to the leaders of a network, on the port they expect, and takes that back', () => {
    const root = temporaryDirectory()
    const announced = join(root, 'etc/avahi/services/benchlog.service')
    expect(benchlog('install', '--root', root, '--worker').stdout).toContain(`${announced}: written`)
    expect(readFileSync(announced, 'utf8')).toContain('<type>_pio-worker._tcp</type>')
    const unit = readFileSync(join(root, UNIT), 'utf8')
    expect(unit).toContain(' HTTP_PORT=80\n')
    expect(unit).toContain('\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n')
    expect(benchlog('uninstall', '--root', root).stdout).toContain(`${announced}: removed`)
    expect(existsSync(announced)).toBe(false)
  })

  it('changes nothing where a file is somebody else’s', () => {
    const root = temporaryDirectory()
    const foreign = join(root, 'etc/udev/rules.d/70-benchlog.rules')
    mkdirSync(dirname(foreign), { recursive: true })
    writeFileSync(foreign, 'mine\n')
    const { status, stderr } = benchlog('install', '--root', root)
    expect([status, stderr]).toEqual([1, expect.stringContaining(`${foreign} exists and was not written by`)])
    expect(readdirSync(join(root, 'etc'))).toEqual(['udev'])
  })

  it.each([
    [['--user', 'Dr. Who'], "--user is 'Dr. Who'"],
    [['--home', 'relative'], "--home is 'relative'"],
    [['--home', '/a\nb'], '--home is'],
  ])('refuses %j', (options, message) => {
    const { status, stderr } = benchlog('install', '--dry-run', ...options)
    expect([status, stderr]).toEqual([1, expect.stringContaining(message)])
  })
})

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0
if (!hasSystemd && process.env['REQUIRE_PEERS'] === '1') throw new Error('systemd-analyze not installed')

/** 0 nothing to exploit, 100 everything. Devices, network and a compiler that writes code remain. */
const MOST_EXPOSURE = 25

describe.skipIf(!hasSystemd)('the unit, as systemd reads it', () => {
  /** Writes the unit of an installation whose programs exist. */
  function writeUnit(changes: Partial<Installation>): string {
    const directory = temporaryDirectory()
    const installation: Installation = {
      user: 'benchlog',
      home: '/var/lib/benchlog',
      node: process.execPath,
      main: mainPath(),
      manual: '/opt/benchlog/docs/install.md',
      systemdVersion: 252,
      hardwareWatchdog: true,
      worker: false,
      ...changes,
    }
    const path = join(directory, 'benchlog.service')
    writeFileSync(path, systemFiles(installation)[0]?.content ?? '')
    return path
  }
  function analyze(...args: readonly string[]) {
    const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
    return { status, said: stdout + stderr }
  }

  it.each([false, true])('is understood, of a worker: %s', (worker) => {
    expect(analyze('verify', '--man=no', writeUnit({ worker }))).toEqual({ status: 0, said: '' })
  })

  it('is understood with a path of blanks, quotes, percent and dollar signs', () => {
    const directory = join(temporaryDirectory(), 'Lab 5% $HOME')
    mkdirSync(directory)
    const node = join(directory, 'node')
    writeFileSync(node, '#!/bin/sh\n', { mode: 0o755 })
    const path = writeUnit({ node, home: '/mnt/data 100%', main: join(directory, `"main" '$HOME'.js`) })
    expect(analyze('verify', '--man=no', path)).toEqual({ status: 0, said: '' })
  })

  it.each([false, true])('is hardly exposed, of a worker: %s', (worker) => {
    const { status, said } = analyze(
      'security',
      '--no-pager',
      '--offline=yes',
      `--threshold=${MOST_EXPOSURE}`,
      writeUnit({ worker }),
    )
    expect(status, said).toBe(0)
  })
})

it.each([
  ['/opt/benchlog/main.js', '/opt/benchlog/main.js'],
  ['/a b', '"/a b"'],
  ['/a"b\\c', '"/a\\"b\\\\c"'],
  ['/50%/$HOME', '"/50%%/$$HOME"'],
])('the word %s is written %s', (word, written) => expect(quoteWord(word)).toBe(written))
