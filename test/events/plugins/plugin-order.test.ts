import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LabError } from '../../../events/core/errors.js'
import { checkInstalledName, parsePluginName, parsePluginSource } from '../../../events/plugins/plugin-order.js'

describe('a name', () => {
  test.each([
    ['air-bubbler', 'air-bubbler', null],
    ['Air_Bubbler', 'Air_Bubbler', null],
    ['@lab/pump.x', '@lab/pump.x', null],
    ['air-bubbler@1.2.3-rc.1', 'air-bubbler', '1.2.3-rc.1'],
    ['@lab/pump@next', '@lab/pump', 'next'],
  ])('%s is taken', (text, name, version) => {
    expect(parsePluginName(text)).toEqual({ name, version })
  })

  test.each([
    '',
    '--global',
    '-g',
    '../evil',
    'a/b',
    '@lab',
    '@lab/',
    '@lab/../x',
    '.hidden',
    'a b',
    'a;reboot',
    '$(reboot)',
    'a@^1.0.0',
    'a@file:/etc',
    'a@npm:b',
    'a@',
    'http://x/y.tgz',
    'ä',
    'a\n',
    'x'.repeat(151),
  ])('%j is refused', (text) => {
    expect(() => parsePluginName(text)).toThrow(LabError)
  })

  test('of what is to be removed may be that of a file, and leads nowhere', () => {
    for (const name of ['my plugin', 'a.b', '_x', '@lab/pump']) checkInstalledName(name)
    for (const name of ['', '../x', '/etc/x', '.x', 'a/b', 'a\0'])
      expect(() => checkInstalledName(name)).toThrow(LabError)
  })

  test('never becomes an option or a path, whatever is sent', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'@/.-_~ax1:') })), (text) => {
        try {
          const { name, version } = parsePluginName(text)
          expect(`${name}@${version ?? ''}`).toMatch(/^(@[a-z0-9][^/@]*\/)?[A-Za-z0-9][^/@: ]*@[^/@: ]*$/)
        } catch (error) {
          expect(error).toBeInstanceOf(LabError)
        }
      }),
    )
  })
})

describe('a source', () => {
  test.each([
    [null, { kind: 'registry' }],
    ['/tmp/x-1.0.0.tgz', { kind: 'archive', path: '/tmp/x-1.0.0.tgz' }],
    ['/tmp/x.tar.gz', { kind: 'archive', path: '/tmp/x.tar.gz' }],
    ['/tmp/x/', { kind: 'directory', path: '/tmp/x' }],
    ['/tmp/x.py', { kind: 'file', path: '/tmp/x.py', suffix: '.py' }],
    ['/tmp/x.mjs', { kind: 'file', path: '/tmp/x.mjs', suffix: '.mjs' }],
    ['/tmp/x-1.0-py3-none-any.whl', { kind: 'python', path: '/tmp/x-1.0-py3-none-any.whl' }],
    ['https://lab.example/x-1.0.0.tgz', { kind: 'address', url: 'https://lab.example/x-1.0.0.tgz' }],
    ['https://lab.example/x.whl', { kind: 'python', path: '/x.whl' }],
  ])('%s is understood', (source, origin) => {
    expect(parsePluginSource(source)).toEqual(origin)
  })

  test.each([
    'x.tgz',
    './x.tgz',
    '~/x.tgz',
    '',
    'http://lab.example/x.tgz',
    'git+ssh://git@github.com/x/y.git',
    'github:x/y',
    'file:/tmp/x.tgz',
    'https://user:secret@lab.example/x.tgz',
    'https://lab.example/x.tgz?token=secret',
    'https://lab.example/x.tgz#secret',
    'https://lab.example/x',
    'https://',
    '/tmp/a\nb.tgz',
    `/${'x'.repeat(1000)}`,
  ])('%j is refused, and not repeated', (source) => {
    expect(() => parsePluginSource(source)).toThrow(LabError)
    expect(() => parsePluginSource(source)).not.toThrow(/secret/)
  })
})
