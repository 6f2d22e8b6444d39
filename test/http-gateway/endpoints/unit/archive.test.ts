import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  ArchiveInvalid,
  EXPORT_LIST,
  importArchiveTask,
  prepareExportCommand,
} from '../../../../events/machine/archive.js'
import { eventually } from '../../../support/eventually.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { task } from '../../support/given-jobs.js'
import { readZip } from '../../support/read-zip.js'
import { startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

const EXPORT = '/unit_api/zipped_dot_pioreactor'
const IMPORT = '/unit_api/import_zipped_dot_pioreactor'
const FLAG = 'DISALLOW_UI_FILE_SYSTEM'

let dot: string
let spoolDirectory: string
let gateway: TestGateway
beforeEach(async () => {
  const home = temporaryDirectory()
  dot = join(home, 'dot')
  spoolDirectory = join(home, 'spool')
  mkdirSync(dot)
  mkdirSync(spoolDirectory)
  gateway = await startTestGateway({ dotPioreactor: dot, spoolDirectory, privatePaths: [home, join(dot, 'key.pem')] })
})
afterEach(() => gateway.stop())

describe('an export', () => {
  test('is streamed as the services list it, and leaves nothing in the spool', async () => {
    mkdirSync(join(dot, 'plugins'))
    for (const name of ['a', 'key.pem']) writeFileSync(join(dot, name), name)
    await gateway.serve(prepareExportCommand, () => {
      const spool = randomUUID()
      mkdirSync(join(spoolDirectory, spool))
      writeFileSync(join(spoolDirectory, spool, '0'), 'copy')
      const entries = [
        { path: 'a', location: join(dot, 'a') },
        { path: 'db.sqlite', location: join(spoolDirectory, spool, '0') },
        { path: 'key.pem', location: join(dot, 'key.pem') },
        { path: 'plugins/', location: join(dot, 'plugins') },
      ]
      writeFileSync(join(spoolDirectory, spool, EXPORT_LIST), JSON.stringify(entries))
      return { spool }
    })
    const response = await fetch(gateway.base + EXPORT)
    expect(response.headers.get('content-type')).toBe('application/zip')
    expect(response.headers.get('content-disposition')).toBe('attachment; filename=u1_dot_pioreactor.zip')
    expect(response.headers.get('cache-control')).toBe('no-cache')
    const entries = readZip(Buffer.from(await response.arrayBuffer()))
    expect(entries.map(({ name, content }) => [name, content.toString()])).toEqual([
      ['a', 'a'],
      ['db.sqlite', 'copy'],
      ['plugins/', ''],
    ])
    await eventually(() => expect(readdirSync(spoolDirectory)).toEqual([]))
  })

  test('is 403 with the flag, and an error in JSON while nobody prepares it', async () => {
    await gateway.say('lost')
    const late = await gateway.get(EXPORT)
    expect([late.status, late.headers.get('content-disposition')]).toEqual([503, null])
    writeFileSync(join(dot, FLAG), '')
    expect((await gateway.get(EXPORT)).json).toMatchObject({ status: 403, error: `${FLAG} is present` })
  })
})

describe('an import', () => {
  /** What the services find; they take it away. */
  const receive = async () => {
    const found: { readonly content: Buffer; readonly mode: number }[] = []
    const orders = await gateway.serve(importArchiveTask, ({ spool }) => {
      const path = join(spoolDirectory, spool)
      found.push({ content: readFileSync(path), mode: statSync(path).mode & 0o777 })
      return { task_id: 'any' }
    })
    return { found, orders }
  }
  const form = (content: Uint8Array<ArrayBuffer>, field = 'archive', name: string | null = 'unit.zip'): FormData => {
    const data = new FormData()
    if (name === null) data.set(field, Buffer.from(content).toString())
    else data.set(field, new Blob([content]), name)
    return data
  }
  const post = async (body: NonNullable<RequestInit['body']>, headers: Record<string, string> = {}) => {
    const response = await fetch(gateway.base + IMPORT, { method: 'POST', body, headers })
    return { status: response.status, json: (await response.json()) as Record<string, unknown> }
  }

  test('hands the file over byte for byte through the spool, for this user alone, and never in a message', async () => {
    const { found, orders } = await receive()
    const content = new Uint8Array(3_000_000).map((_, index) => index % 251)
    const { status, json } = await post(form(content))
    expect([status, json]).toMatchObject([202, { status: 'accepted', task_id: orders[0]?.['id'] }])
    const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
    expect(found.map(({ content: bytes, mode }) => [digest(bytes), mode])).toEqual([[digest(content), 0o600]])
    expect(JSON.stringify(orders).length).toBeLessThan(200)
  })

  test('finds the file however the form is written', async () => {
    const { found } = await receive()
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('\r\n', '--', '--B', '\r\n--', '\r\n--B', 'B', '-', 'x', '\r'), { maxLength: 12 }),
        async (pieces) => {
          // A line that begins with the delimiter would end the part.
          const text = pieces.join('')
          fc.pre(!`\r\n${text}\r\n`.includes('\r\n--B'))
          const other = 'Content-Disposition: form-data; name="note"\r\n\r\nhello'
          const file = 'content-disposition: form-data; filename="a.zip"; name=archive\r\nContent-Type: x\r\n\r\n'
          const body = `preamble\r\n--B\r\n${other}\r\n--B  \r\n${file}${text}\r\n--B--\r\nepilogue`
          const { status } = await post(body, { 'content-type': 'multipart/form-data; boundary="B"' })
          expect([status, found.at(-1)?.content.toString()]).toEqual([202, text])
        },
      ),
      { numRuns: 40 },
    )
  })

  test.each<readonly [string, () => NonNullable<RequestInit['body']>, Record<string, string>]>([
    ['nothing', () => '', {}],
    ['JSON', () => '{}', { 'content-type': 'application/json' }],
    ['another field', () => form(new Uint8Array(3), 'file'), {}],
    ['a field that is no file', () => form(new Uint8Array(3), 'archive', null), {}],
    [
      'a form that is cut off',
      () => '--B\r\nContent-Disposition: form-data; name="archive"; filename="x"\r\n\r\nabc',
      { 'content-type': 'multipart/form-data; boundary=B' },
    ],
    ['a form without boundary', () => 'x', { 'content-type': 'multipart/form-data' }],
  ])('of %s is 400 and leaves nothing', async (_, body, headers) => {
    const { orders } = await receive()
    const { status, json } = await post(body(), headers)
    expect([status, json]).toMatchObject([
      400,
      { error: 'No archive was uploaded.', remediation: expect.stringContaining('archive') },
    ])
    expect(orders).toEqual([])
    expect(readdirSync(spoolDirectory)).toEqual([])
  })

  test('of two files is 400', async () => {
    const data = form(new Uint8Array(3))
    data.append('archive', new Blob(['x']), 'y.zip')
    expect((await post(data)).status).toBe(400)
    expect(readdirSync(spoolDirectory)).toEqual([])
  })

  test('that the services refuse is 400 at once', async () => {
    await gateway.serve(importArchiveTask, () => {
      throw new ArchiveInvalid('The archive contains path traversal.')
    })
    expect(await post(form(new Uint8Array(3)))).toMatchObject({
      status: 400,
      json: { error: 'The archive contains path traversal.' },
    })
  })

  test('is 403 with the flag and waits for its lock, before the upload is looked at', async () => {
    gateway.given(task({ task_id: 't', name: 'import_archive', lock: 'import-dot-pioreactor-lock', status: 'running' }))
    expect((await post(form(new Uint8Array(12_000_000)))).json).toMatchObject({ lock: 'import-dot-pioreactor-lock' })
    writeFileSync(join(dot, FLAG), '')
    expect(await post('x')).toMatchObject({ status: 403, json: { error: `${FLAG} is present` } })
    expect(existsSync(spoolDirectory)).toBe(true)
    expect(readdirSync(spoolDirectory)).toEqual([])
  })

  test('does not wait for services that are away', async () => {
    await gateway.say('lost')
    expect((await post(form(new Uint8Array(3)))).status).toBe(503)
    expect(readdirSync(spoolDirectory)).toEqual([])
  })
})
