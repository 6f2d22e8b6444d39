import { describe, expect, test } from 'vitest'
import { endpoints } from '../../../http-gateway/endpoints/index.js'
import { methodsOf } from '../../../http-gateway/framework/endpoint.js'
import { documentedPath, renderOpenApi } from '../../../http-gateway/framework/openapi.js'
import { contract, idOf, NOT_BUILT } from '../../support/unit-contract/contract.js'
import { startTestGateway } from '../support/start-test-gateway.js'

/** Endpoint ids such as `GET /jobs/{run_id}`. */
const served = endpoints.flatMap((endpoint) =>
  methodsOf(endpoint).map((method) => `${method.toUpperCase()} ${documentedPath(endpoint)}`),
)

const BOX_CONTRACT = `
  GET /version
  GET /health
  GET /devices
  GET /modes
  GET /modes/{mode}/params
  POST /modes/{mode}/validate
  POST /jobs
  GET /jobs
  POST /jobs/status
  GET /jobs/{run_id}
  POST /jobs/{run_id}/cancel
  GET /runs/{run_id}/files
  GET /runs/{run_id}/file
  GET /runs/{run_id}/zip
  POST /nas/setup
  GET /nas/health
  POST /runs/{run_id}/upload
  POST /admin/rescan`
  .trim()
  .split(/\n\s*/)

describe('the contracts', () => {
  test('what the unit API does not serve yet is exactly this', () => {
    expect(contract).toHaveLength(74)
    expect(
      contract
        .map(idOf)
        .filter((id) => !served.includes(id))
        .sort(),
    ).toEqual([...NOT_BUILT].sort())
  })

  test('the box API is served completely', () => {
    expect(BOX_CONTRACT.filter((id) => !served.includes(id))).toEqual([])
  })

  test('beyond them only these are served', () => {
    const known = [...contract.map(idOf), ...BOX_CONTRACT]
    expect(served.filter((id) => !known.includes(id))).toEqual([
      'POST /unit_api/calibrations/sessions',
      'GET /unit_api/calibrations/sessions/{session_id}',
      'POST /unit_api/calibrations/sessions/{session_id}/inputs',
      'POST /unit_api/calibrations/sessions/{session_id}/abort',
      'GET /unit_api/system/ipv4',
      'GET /unit_api/system/disk_space',
      'GET /unit_api/system/memory',
      'GET /unit_api/calibrations/{device}/{calibration_name}/plot.png',
      'GET /devices/status',
      'POST /firmware/flash',
      'POST /updates/package',
      'GET /updates',
      'GET /updates/{update_id}',
      'GET /api/telemetry/temperature/latest',
      'GET /api/telemetry/temperature/stream',
      'GET /openapi.json',
      'GET /asyncapi.json',
      'GET /docs',
      'GET /redoc',
    ])
  })

  test('statuses and body fields are those of the contract', () => {
    for (const wanted of contract) {
      const endpoint = endpoints.find(
        (candidate) =>
          documentedPath(candidate) === wanted.path &&
          methodsOf(candidate).some((m) => m.toUpperCase() === wanted.method),
      )
      if (endpoint === undefined) continue
      const polls = wanted.path.includes('/task_results/')
      expect([wanted.path, polls ? 202 : (endpoint.status ?? 200)]).toEqual([wanted.path, wanted.status])
      const fields = Object.keys(endpoint.body?.['properties'] ?? {}).sort()
      if (wanted.body_fields)
        expect([wanted.path, fields]).toEqual([wanted.path, wanted.body_fields.map(({ name }) => name).sort()])
    }
  })

  test('no two endpoints share a method and path', () => {
    expect(new Set(served).size).toBe(served.length)
  })
})

describe('the generated documents', () => {
  test('docs/openapi.json is written from the table', async () => {
    await expect(renderOpenApi(endpoints)).toMatchFileSnapshot(`${process.cwd()}/docs/openapi.json`)
  })

  test('the OpenAPI document names every parameter of a path, and every operation once', () => {
    const { paths } = JSON.parse(renderOpenApi(endpoints)) as {
      paths: Record<string, Record<string, { operationId: string; parameters: { name: string; in: string }[] }>>
    }
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, ...operation })),
    )
    expect(operations).toHaveLength(served.length)
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
    for (const { path, parameters } of operations) {
      const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
      expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))
    }
  })

  test('are served without a key: the document, a page that needs nothing else, and the old address of it', async () => {
    const gateway = await startTestGateway({ boxApiKey: 'key' })
    try {
      expect((await gateway.get('/openapi.json')).text).toBe(JSON.stringify(JSON.parse(renderOpenApi(endpoints))))
      const page = await gateway.get('/docs')
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
      for (const id of served) expect(page.text).toContain(`<code>${id.split(' ')[1]}</code>`)
      for (const [line] of page.text.matchAll(/^.* -d &#39;.*$/gm))
        expect(line).toContain('Content-Type: application/json')
      expect(page.text).not.toMatch(/<script|<link|src=|@import|url\(/)
      const redoc = await gateway.get('/redoc')
      expect([redoc.status, redoc.headers.get('location')]).toEqual([308, '/docs'])
    } finally {
      await gateway.stop()
    }
  })
})
