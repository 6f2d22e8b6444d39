import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { removeFileTask } from '../../../../events/machine/commands.js'
import { OutsideData } from '../../../../events/machine/errors.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

const PATH = '/unit_api/system/path/'
const FLAG = 'DISALLOW_UI_FILE_SYSTEM'

let home: string
let dot: string
let gateway: TestGateway
beforeEach(async () => {
  home = temporaryDirectory()
  dot = join(home, 'dot')
  mkdirSync(join(dot, 'storage', 'calibrations'), { recursive: true })
  mkdirSync(join(dot, '__pycache__'))
  mkdirSync(join(dot, 'run'))
  writeFileSync(join(dot, 'config.ini'), '[a]\nb = ü\n')
  writeFileSync(join(dot, '.hidden'), 'h')
  writeFileSync(join(dot, '__pycache__', 'x.pyc'), 'x')
  writeFileSync(join(dot, 'run', 'service-password'), 'geheim')
  writeFileSync(join(dot, 'storage', 'p.sqlite'), 'SQL')
  writeFileSync(join(home, 'secret'), 'geheim')
  gateway = await startTestGateway({ dotPioreactor: dot, privatePaths: [home, join(dot, 'run')] })
})
afterEach(() => gateway.stop())

describe('a directory', () => {
  test('is listed by code point, hidden entries with it, links as what they lead to', async () => {
    symlinkSync(join(dot, 'config.ini'), join(dot, 'z-link'))
    symlinkSync(join(dot, 'storage'), join(dot, 'a-folder'))
    symlinkSync(join(dot, 'nowhere'), join(dot, 'dangling'))
    execFileSync('mkfifo', [join(dot, 'pipe')])
    const { status, json, headers } = await gateway.get(PATH)
    expect([status, json]).toEqual([
      200,
      { current: '.', dirs: ['a-folder', 'storage'], files: ['.hidden', 'config.ini', 'z-link'] },
    ])
    expect(headers.get('cache-control')).toBe('public, max-age=5')
    expect((await gateway.get(`${PATH}storage/`)).json).toEqual({
      current: 'storage',
      dirs: ['calibrations'],
      files: ['p.sqlite'],
    })
  })

  test('that is not listed is reached by its name', async () => {
    expect((await gateway.get(`${PATH}__pycache__`)).json).toMatchObject({ files: ['x.pyc'] })
  })

  test('may be named by a dot', async () => {
    expect((await gateway.raw(`${PATH}.`)).json).toMatchObject({ current: '.' })
  })
})

describe('a file', () => {
  test.each([
    'config.ini',
    'config.ini/',
    'storage/../config.ini',
    'storage/%2E%2E/config.ini',
    'storage%2F..%2Fconfig.ini',
  ])('%s is its content as plain text', async (path) => {
    const { status, text, headers } = await gateway.raw(PATH + path)
    expect([status, text]).toEqual([200, '[a]\nb = ü\n'])
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': 'inline; filename=config.ini',
      'cache-control': 'no-cache',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      etag: expect.stringMatching(/^"/),
      'last-modified': expect.stringContaining('GMT'),
    })
  })

  test('is served under the name of what a link leads to, and never as a page', async () => {
    writeFileSync(join(dot, 'page of "mine".html'), '<script>alert(1)</script>')
    symlinkSync(join(dot, 'page of "mine".html'), join(dot, 'plain'))
    const { headers } = await gateway.get(`${PATH}plain`)
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(headers.get('content-disposition')).toBe(
      `inline; filename="page of _mine_.html"; filename*=UTF-8''page%20of%20%22mine%22.html`,
    )
  })

  test('is not sent again to who has it, nor as a whole to who wants a part', async () => {
    const etag = (await gateway.get(`${PATH}config.ini`)).headers.get('etag') ?? ''
    expect((await gateway.raw(`${PATH}config.ini`, { 'if-none-match': etag })).status).toBe(304)
    const part = await gateway.get(`${PATH}config.ini`, { range: 'bytes=0-2' })
    expect([part.status, part.text]).toEqual([206, '[a]'])
    utimesSync(join(dot, 'config.ini'), 1, 1)
    expect((await gateway.raw(`${PATH}config.ini`, { 'if-none-match': etag })).status).toBe(200)
  })
})

describe('what must not be seen', () => {
  test.each([
    ['../secret', 403],
    ['../nothing', 403],
    ['..%2fsecret', 403],
    ['%2e%2e/secret', 403],
    ['storage/../../secret', 403],
    ['%2Fetc%2Fpasswd', 403],
    ['out', 403],
    ['out-folder/secret', 403],
    ['run', 403],
    ['run/service-password', 403],
    ['to-run/service-password', 403],
    ['storage/p.sqlite', 403],
    ['innocent', 403],
    ['nothing', 404],
    ['config.ini/x', 404],
    ['config.ini%00.txt', 404],
    ['pipe', 404],
    [`${'a'.repeat(300)}`, 404],
    ['loop', 404],
  ])('%s is %i', async (path, wanted) => {
    symlinkSync(join(home, 'secret'), join(dot, 'out'))
    symlinkSync(home, join(dot, 'out-folder'))
    symlinkSync(join(dot, 'run'), join(dot, 'to-run'))
    symlinkSync(join(dot, 'storage', 'p.sqlite'), join(dot, 'innocent'))
    symlinkSync(join(dot, 'loop'), join(dot, 'loop'))
    execFileSync('mkfifo', [join(dot, 'pipe')])
    const { status, text, json } = await gateway.raw(PATH + path)
    expect([status, Object.keys(json as object).sort()]).toEqual([wanted, expect.arrayContaining(['cause', 'error'])])
    expect(text).not.toMatch(/geheim|SQL\b/)
    expect(text).not.toContain(home)
  })

  test('is everything while the flag is there; a directory of its name is none', async () => {
    mkdirSync(join(dot, FLAG))
    expect((await gateway.get(`${PATH}config.ini`)).status).toBe(200)
    rmSync(join(dot, FLAG), { recursive: true })
    writeFileSync(join(dot, FLAG), '')
    for (const path of ['', 'config.ini', '../secret']) {
      expect((await gateway.raw(PATH + path)).json).toMatchObject({ status: 403, error: `${FLAG} is present` })
    }
  })
})

describe('removing a file', () => {
  const REMOVE = '/unit_api/system/remove_file'

  test.each(['POST', 'PATCH'])('%s is ordered of the services', async (method) => {
    const orders = await gateway.serve(removeFileTask, () => ({ task_id: 'any' }))
    const { status, json } = await gateway.send(method, REMOVE, { filepath: 'plugins/x.py' })
    expect([status, json]).toMatchObject([202, { status: 'accepted', task_id: orders[0]?.['id'] }])
    expect(orders).toMatchObject([{ filepath: 'plugins/x.py' }])
  })

  test('is 403 at once where the services refuse the path', async () => {
    await gateway.serve(removeFileTask, () => {
      throw new OutsideData('Access to this path is not allowed.')
    })
    expect((await gateway.send('POST', REMOVE, { filepath: '../x' })).status).toBe(403)
  })

  test('is 403 with the flag before the body is looked at', async () => {
    writeFileSync(join(dot, FLAG), '')
    const { json } = await gateway.send('POST', REMOVE, '{')
    expect(json).toMatchObject({ status: 403, error: `${FLAG} is present`, remediation: expect.any(String) })
    rmSync(join(dot, FLAG))
    expect((await gateway.send('POST', REMOVE, '{')).json).toMatchObject({
      status: 400,
      error: 'Invalid request body.',
    })
    expect((await gateway.send('POST', REMOVE, '{}')).json).toMatchObject({
      cause: 'Object missing required field `filepath`',
    })
  })
})
