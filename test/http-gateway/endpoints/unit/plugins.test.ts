import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { installPluginTask, type Plugin, pluginEvent, uninstallPluginTask } from '../../../../events/plugins/plugins.js'
import type { TestEvent } from '../../../support/memory-log.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

let gateway: TestGateway
let dot: string
beforeEach(async () => {
  dot = temporaryDirectory()
  mkdirSync(join(dot, 'plugins'))
  gateway = await startTestGateway({ dotPioreactor: dot })
})
afterEach(() => gateway.stop())

const INSTALLED = '/unit_api/plugins/installed'

const file = (name: string, filename: string): Plugin => ({
  ...{ name, version: 'Unknown', description: 'Unknown', homepage: null, author: 'Unknown' },
  source: `plugins/${filename}`,
})
const packaged = (name: string): Plugin => ({
  ...{ name, version: '1.0.0', description: null, homepage: null, author: 'Lab', source: 'entry_points' },
})
function told(plugin: Plugin, unit = 'u1'): TestEvent {
  const isPackage = plugin.source === 'entry_points'
  const level = isPackage ? encodeURIComponent(plugin.name) : plugin.source.replace('plugins/', '')
  const topic = pluginEvent.topic({ unit, plugin_kind: isPackage ? 'packages' : 'files', plugin: level })
  return { topic, payload: { ...plugin, timestamp: '2026-01-02T03:04:05.000Z' } }
}

describe('the list', () => {
  test('has packages first, then files by name; a file without a homepage has where its text is served', async () => {
    for (const plugin of [file('B', 'b.py'), file('a b', 'a b.py'), packaged('z'), packaged('@lab/y')])
      gateway.given(told(plugin))
    const { status, json, headers } = await gateway.get(INSTALLED)
    expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=5'])
    expect(json).toEqual([
      packaged('@lab/y'),
      packaged('z'),
      { ...file('a b', 'a b.py'), homepage: `${gateway.base}${INSTALLED}/a%20b.py` },
      { ...file('B', 'b.py'), homepage: `${gateway.base}${INSTALLED}/b.py` },
    ])
  })

  test('holds what is installed on this unit now; of two that call themselves the same the later one', async () => {
    expect((await gateway.get(INSTALLED)).json).toEqual([])
    gateway.given(
      told(packaged('blink')),
      told(file('blink', 'x.py')),
      told(packaged('gone')),
      told(packaged('there'), 'u2'),
    )
    gateway.given({ topic: told(packaged('gone')).topic, payload: '' })
    expect((await gateway.get(INSTALLED)).json).toMatchObject([{ name: 'blink', source: 'plugins/x.py' }])
  })
})

describe('the text of a file', () => {
  test('is served as it is', async () => {
    const text = '# ü\r\nimport os\n'
    writeFileSync(join(dot, 'plugins/blink.py'), text)
    const answer = await gateway.get(`${INSTALLED}/blink.py`)
    expect([answer.status, answer.text]).toEqual([200, text])
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('public, max-age=5')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })

  test.each(['missing.py', 'notes.txt', 'x.PY', '.hidden.py', '..%2Fconfig.py', 'a%2Fb.py', '%2e%2e', 'x.py%00'])(
    '%s is 404',
    async (filename) => {
      for (const name of ['notes.txt', 'x.PY', '.hidden.py']) writeFileSync(join(dot, 'plugins', name), 'secret')
      writeFileSync(join(dot, 'config.py'), 'secret')
      const { status, text } = await gateway.raw(`${INSTALLED}/${filename}`)
      expect(status).toBe(404)
      expect(text).not.toContain('secret')
    },
  )

  test('that is a link, a pipe, a directory or huge is 500 at once, and nothing of it is sent', async () => {
    symlinkSync('/etc/passwd', join(dot, 'plugins/link.py'))
    execFileSync('mkfifo', [join(dot, 'plugins/pipe.py')])
    mkdirSync(join(dot, 'plugins/directory.py'))
    writeFileSync(join(dot, 'plugins/huge.py'), 'x'.repeat(1024 * 1024 + 1))
    for (const name of ['link', 'pipe', 'directory', 'huge']) {
      const { status, text } = await gateway.get(`${INSTALLED}/${name}.py`)
      expect([name, status, text.includes('root:')]).toEqual([name, 500, false])
    }
  })
})

const ORDERS = [
  ['install', installPluginTask, { name: 'air-bubbler', source: '/tmp/x.tgz' }],
  ['uninstall', uninstallPluginTask, { name: 'air-bubbler' }],
] as const

describe.each(ORDERS)('%s', (path, task, order) => {
  const url = `/unit_api/plugins/${path}`
  const body = {
    args: ['air-bubbler'],
    options: { source: '/tmp/x.tgz', target_rpm: '200' },
    env: { JOB_SOURCE: 'api' },
  }

  test.each(['POST', 'PATCH'])('by %s gives the service name and source alone', async (method) => {
    const orders = await gateway.serve(task, () => ({ task_id: 'any' }))
    const { status, json } = await gateway.send(method, url, body)
    expect([status, json]).toMatchObject([202, { unit: 'u1', status: 'accepted' }])
    expect(orders).toEqual([{ ...order, id: (json as { task_id: string }).task_id }])
  })

  test('is refused by a file that forbids it, whatever the body holds, in the words that clients know', async () => {
    const orders = await gateway.serve(task, () => ({ task_id: 'any' }))
    writeFileSync(join(dot, 'DISALLOW_UI_INSTALLS'), '')
    for (const sent of [body, '{']) {
      const { status, json } = await gateway.send('POST', url, sent)
      expect([status, json]).toEqual([
        403,
        {
          error: 'DISALLOW_UI_INSTALLS is present',
          status: 403,
          cause: 'Plugin installs are disabled on this unit.',
          remediation: 'Remove DISALLOW_UI_INSTALLS or install via SSH.',
        },
      ])
    }
    expect(orders).toEqual([])
    expect((await gateway.get(INSTALLED)).status).toBe(200)
  })

  test.each([
    [{}, /plugin/],
    [{ args: ['a', 'b'] }, /one/],
    [{ args: ['../x'] }, /name/],
    [{ args: [5] }, /Invalid request body/],
    ['{', /Invalid request body/],
  ])('%j is 400, and nobody is ordered anything', async (sent, words) => {
    const orders = await gateway.serve(task, () => ({ task_id: 'any' }))
    const { status, json } = await gateway.send('POST', url, sent)
    expect([status, (json as { error: string }).error]).toEqual([400, expect.stringMatching(words)])
    expect(orders).toEqual([])
  })
})

test.each([5, ['x'], 'relative.tgz', 'https://user:s3cr3t@lab.example/x.tgz', 'http://lab.example/x.tgz'])(
  'the source %j is refused, and gets into no event',
  async (source) => {
    const orders = await gateway.serve(installPluginTask, () => ({ task_id: 'any' }))
    const { status, text } = await gateway.send('POST', '/unit_api/plugins/install', {
      args: ['x'],
      options: { source },
    })
    expect([status, orders]).toEqual([400, []])
    expect(text + JSON.stringify(gateway.broker.published)).not.toContain('s3cr3t')
  },
)
