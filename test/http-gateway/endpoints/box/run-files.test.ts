import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run, slot } from '../../support/given-runs.js'
import { readZip } from '../../support/read-zip.js'
import { startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

let gateway: TestGateway
let home: string
const CSV = 'slot01/CV/My_Exp_slot01_CV.csv'
const SECRET = 'TOP SECRET'

function write(path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(home, path)), { recursive: true })
  writeFileSync(join(home, path), content)
}

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'gateway-'))
  gateway = await startTestGateway({ runsRoot: join(home, 'runs') })
  write('secret.txt', SECRET)
  write('runs/_run_paths.json', SECRET)
  write('runs/My_Exp/t1/UPLOAD_DONE', SECRET)
  write('runs/My_Exp/t1/slot02/CV/other.csv', SECRET)
  write(`runs/My_Exp/t1/${CSV}`, '0123456789')
  write('runs/My_Exp/t1/slot01/CV/plot.png', 'png')
  symlinkSync(join(home, 'secret.txt'), join(home, 'runs/My_Exp/t1/slot01/link.csv'))
  symlinkSync(join(home, 'runs/_run_paths.json'), join(home, 'runs/My_Exp/t1/slot01/inner-link.csv'))
  const files = [
    CSV,
    'slot01/CV/plot.png',
    'slot01/link.csv',
    'slot01/inner-link.csv',
    'slot01/vanished.csv',
    'slot01/CV',
    '../../../secret.txt',
  ]
  gateway.givenRun(run('r1', { directory: 'My_Exp/t1', slots: [slot('slot01', { files })] }))
  gateway.givenRun(run('new'))
})
afterEach(async () => {
  await gateway.stop()
  rmSync(home, { recursive: true, force: true })
})

const file = (path: string, headers: Record<string, string> = {}) =>
  gateway.get(`/runs/r1/file?path=${encodeURIComponent(path)}`, headers)

describe('files of a run', () => {
  test("are listed sorted: this run's, that exist, inside its folder", async () => {
    const { status, json } = await gateway.get('/runs/r1/files')
    expect([status, json]).toEqual([
      200,
      {
        files: [CSV, 'slot01/CV/plot.png'],
        entries: [
          { path: CSV, size: 10, mtime: expect.stringMatching(/Z$/) },
          { path: 'slot01/CV/plot.png', size: 3, mtime: expect.stringMatching(/Z$/) },
        ],
      },
    ])
  })

  test('are none while the run has not written any', async () => {
    expect((await gateway.get('/runs/new/files')).json).toEqual({ files: [], entries: [] })
    expect((await gateway.get('/runs/new/file?path=a')).status).toBe(404)
  })

  test.each([
    ['was retired', {}],
    ['has lost its folder', { directory: 'My_Exp/gone', slots: [slot('slot01', { status: 'done', files: [CSV] })] }],
  ])('a run that %s has no files: 404, not an empty archive', async (_what, values) => {
    gateway.givenRun(run('old', { status: 'done', ...values }))
    for (const path of ['files', `file?path=${CSV}`, 'zip']) {
      expect(await gateway.get(`/runs/old/${path}`)).toMatchObject({ status: 404, json: { code: 'runs.not_found' } })
    }
  })

  test('of a run that was cancelled before it measured are none', async () => {
    gateway.givenRun(run('early', { status: 'cancelled', directory: 'My_Exp/early' }))
    expect(await gateway.get('/runs/early/files')).toMatchObject({ status: 200, json: { files: [] } })
  })

  test('download as attachments with their type', async () => {
    const { status, text, headers } = await file(CSV)
    expect([status, text]).toEqual([200, '0123456789'])
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(headers.get('content-disposition')).toBe('attachment; filename="My_Exp_slot01_CV.csv"')
    expect(headers.get('accept-ranges')).toBe('bytes')
    expect(headers.get('content-length')).toBe('10')
    expect(headers.get('last-modified')).not.toBeNull()
    expect((await file('slot01/CV/plot.png')).headers.get('content-type')).toBe('image/png')
  })

  test('download by range, and conditionally', async () => {
    const part = await file(CSV, { range: 'bytes=2-4' })
    expect([part.status, part.text, part.headers.get('content-range')]).toEqual([206, '234', 'bytes 2-4/10'])
    expect(await file(CSV, { range: 'bytes=99-' })).toMatchObject({
      status: 416,
      json: { code: 'request.invalid_range' },
    })
    const etag = part.headers.get('etag') ?? ''
    expect(etag).not.toBe('')
    const again = await gateway.raw(`/runs/r1/file?path=${CSV}`, { 'if-none-match': etag })
    expect([again.status, again.text]).toEqual([304, ''])
  })

  test('without a path are 422', async () => {
    expect(await gateway.get('/runs/r1/file')).toMatchObject({
      status: 422,
      json: { detail: [{ type: 'missing', loc: ['query', 'path'] }] },
    })
  })

  test.each(['/runs/nope/files', '/runs/nope/file?path=a', '/runs/nope/zip'])('%s is 404', async (path) => {
    expect(await gateway.get(path)).toMatchObject({ status: 404, json: { code: 'runs.not_found' } })
  })
})

describe('nothing else is revealed', () => {
  const NOT_OF_THE_RUN = [
    '',
    '.',
    '..',
    'slot01',
    'slot01/CV',
    'slot01/link.csv',
    'slot01/inner-link.csv',
    'slot01/vanished.csv',
    'slot02/CV/other.csv',
    'UPLOAD_DONE',
    '../../_run_paths.json',
    '../../../secret.txt',
    'slot01/../slot02/CV/other.csv',
    `./${CSV}`,
    `${CSV}/`,
    `/${CSV}`,
    '/etc/passwd',
    '..\\..\\..\\secret.txt',
    'slot01\\CV\\plot.png',
    `${CSV}\0`,
    '\0',
    '%2e%2e%2f%2e%2e%2f%2e%2e%2fsecret.txt',
    'file:///etc/passwd',
  ]

  test.each(NOT_OF_THE_RUN)('%j is no file of the run', async (path) => {
    const { status, json, text } = await file(path)
    expect([status, json]).toMatchObject([404, { code: 'runs.file_not_found', message: 'The run has no such file.' }])
    expect(text).not.toContain(SECRET)
  })

  test.each([
    '/runs/%2e%2e/files',
    '/runs/../files',
    '/runs/./files',
    '/runs/%2e%2e%2f%2e%2e/files',
    '/runs/..%5c../files',
    '/runs/%00/files',
    '/runs//files',
    '/runs/%ff/files',
    '/runs/%2e%2e/file?path=secret.txt',
    '/runs/%2e%2e/zip',
    '/runs/_run_paths.json/file?path=',
    '/runs/My_Exp/files',
    '/runs/__proto__/files',
    '/../../etc/passwd',
  ])('%s is 404 or 400', async (path) => {
    const { status, text } = await gateway.raw(path)
    expect([400, 404]).toContain(status)
    expect(text).not.toContain(SECRET)
  })

  test('whatever the path, only files of the run are served', async () => {
    const piece = fc.constantFrom(
      '..',
      '.',
      '/',
      '\\',
      '%2e%2e',
      '%2f',
      '\0',
      'slot01',
      'CV',
      'secret.txt',
      '~',
      '//',
      'runs',
      'é',
    )
    const trick = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('')),
      fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('/')),
    )
    await fc.assert(
      fc.asyncProperty(trick, trick, async (runId, path) => {
        const inQuery = await gateway.raw(`/runs/r1/file?path=${encodeURIComponent(path)}`)
        const inPath = await gateway.raw(`/runs/${encodeURIComponent(runId).replaceAll('%2F', '/')}/files`)
        for (const { status, text } of [inQuery, inPath]) {
          expect([400, 404]).toContain(status)
          expect(text).not.toContain(SECRET)
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('the zip of a run', () => {
  async function download(path: string) {
    const response = await fetch(gateway.base + path)
    return { headers: response.headers, entries: readZip(Buffer.from(await response.arrayBuffer())) }
  }

  test("holds this run's files only, sorted", async () => {
    const { headers, entries } = await download('/runs/r1/zip')
    expect(headers.get('content-type')).toBe('application/zip')
    expect(headers.get('content-disposition')).toBe('attachment; filename="r1.zip"')
    expect(entries.map(({ name, content }) => [name, content.toString()])).toEqual([
      [CSV, '0123456789'],
      ['slot01/CV/plot.png', 'png'],
    ])
  })

  test('of a run without files is an empty archive', async () => {
    expect((await download('/runs/new/zip')).entries).toEqual([])
  })

  test('of a large run arrives whole', async () => {
    const big = Buffer.alloc(32 * 1024 * 1024, randomBytes(1021))
    write('runs/My_Exp/t2/slot01/big.csv', big)
    const slots = [slot('slot01', { files: ['slot01/big.csv'] })]
    gateway.givenRun(run('big', { directory: 'My_Exp/t2', slots }))
    const { entries } = await download('/runs/big/zip')
    expect(entries.map(({ name, content }) => [name, content.equals(big)])).toEqual([['slot01/big.csv', true]])
  })

  test('that a client abandons leaves the gateway working and logs no defect', async () => {
    const files = Array.from({ length: 5 }, (_, index) => `slot01/${index}.png`)
    for (const path of files) write(`runs/My_Exp/t2/${path}`, Buffer.alloc(8 * 1024 * 1024))
    gateway.givenRun(run('big', { directory: 'My_Exp/t2', slots: [slot('slot01', { files })] }))
    const abort = new AbortController()
    const response = await fetch(`${gateway.base}/runs/big/zip`, { signal: abort.signal })
    await response.body?.getReader().read()
    abort.abort()
    await expect
      .poll(() => gateway.lines.filter(({ message }) => message === 'zip download ended early'))
      .toHaveLength(1)
    expect((await gateway.get('/version')).status).toBe(200)
    expect(gateway.lines.filter(({ level }) => level === 'error')).toEqual([])
  })
})
