import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pluginOfFile, pluginOfPackage } from '../../../../services/unit-admin/plugins/plugin-metadata.js'

const PYTHON = `# -*- coding: utf-8 -*-
from pioreactor.background_jobs.base import BackgroundJob
__plugin_name__ = "Blink"
__plugin_version__: str = '0.2.0'  # of today
__plugin_summary__ = "It's \\"on\\"\\nand off"
__plugin_author__="Lab"
    __plugin_homepage__ = "not at the beginning of its line"
__plugin_name__ = name()
`

describe('a file', () => {
  test('says what it is in assignments of texts; it is not run', () => {
    expect(pluginOfFile('blink.py', PYTHON)).toEqual({
      name: 'Blink',
      version: '0.2.0',
      description: 'It\'s "on" and off',
      homepage: null,
      source: 'plugins/blink.py',
      author: 'Lab',
    })
  })

  test('of JavaScript says it alike', () => {
    const text = "export const __plugin_name__ = 'Blink'\r\nexport const __plugin_version__ = '1.0.0';\r\n"
    expect(pluginOfFile('x.mjs', text)).toMatchObject({ name: 'Blink', version: '1.0.0', source: 'plugins/x.mjs' })
  })

  test('that says nothing has the name it has on the disk', () => {
    const unknown = { version: 'Unknown', description: 'Unknown', author: 'Unknown', homepage: null }
    expect(pluginOfFile('my plugin.py', '\0\uFFFD')).toEqual({
      ...unknown,
      name: 'my plugin',
      source: 'plugins/my plugin.py',
    })
    expect(pluginOfFile('x.py', '__plugin_name__ = ""').name).toBe('x')
  })

  test('with any text is read, in time and in bounds', () => {
    const line = fc.string({ unit: fc.constantFrom(...'_plugin name=\'"\\:#ex\n '.split('')), maxLength: 200 })
    fc.assert(
      fc.property(fc.string(), line, (prefix, text) => {
        const { name } = pluginOfFile('x.py', `${prefix}\n__plugin_name__ = ${text}`)
        expect(name.length).toBeLessThanOrEqual(500)
      }),
    )
    const spaces = `__plugin_name__${' '.repeat(1_000_000)}`
    expect(pluginOfFile('x.py', spaces).name).toBe('x')
  })
})

describe('a package', () => {
  const manifest = { name: '@lab/blink', version: '1.0.0' }
  test('says what it is in its package.json', () => {
    const more = { description: ' Blinks. ', homepage: 'https://lab.example', author: { name: 'Lab' } }
    expect(pluginOfPackage(JSON.stringify({ ...manifest, ...more, keywords: ['benchlog-plugin'] }))).toEqual({
      isPlugin: true,
      plugin: {
        name: '@lab/blink',
        version: '1.0.0',
        description: 'Blinks.',
        homepage: 'https://lab.example',
        source: 'entry_points',
        author: 'Lab',
      },
    })
  })

  test('is a plugin when it says so, and what is no text is left out', () => {
    const odd = { ...manifest, description: 5, author: ['a'], homepage: {}, keywords: 'benchlog-plugin' }
    expect(pluginOfPackage(JSON.stringify(odd))).toMatchObject({
      isPlugin: false,
      plugin: { description: null, homepage: null, author: null },
    })
  })

  test.each(['', '[]', '{}', '{"name":"x"}', '{"name":5,"version":"1"}'])(
    'without a name or version is none: %s',
    (text) => {
      expect(() => pluginOfPackage(text)).toThrow()
    },
  )
})
