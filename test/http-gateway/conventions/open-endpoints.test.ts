import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { endpoints } from '../../../http-gateway/endpoints/index.js'
import { methodsOf } from '../../../http-gateway/framework/endpoint.js'
import { startTestGateway, type TestGateway } from '../support/start-test-gateway.js'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startTestGateway({ unitApiPassword: 'of the unit', boxApiKey: 'of the box' })
})
afterAll(() => gateway.stop())

/** The whole list: what is added here is told to everybody in the network. */
const OPEN = ['/asyncapi.json', '/docs', '/openapi.json', '/redoc', '/version']

test('without a secret only the API pages and the version answer, whatever the method; nothing is looked up for the others', async () => {
  const answered: string[] = []
  for (const endpoint of endpoints) {
    const path = endpoint.path.replaceAll(/[:*]\w+/g, 'x')
    for (const method of methodsOf(endpoint)) {
      const { status } = await gateway.send(method.toUpperCase(), path, method === 'get' ? undefined : '{')
      if (status !== 401) answered.push(path)
    }
  }
  expect(answered.sort()).toEqual(OPEN)
  expect(gateway.broker.published).toEqual([])
})

test('the page about operating a unit lists them', () => {
  const [, listed = ''] =
    /answer without one[^:]*: ([\s\S]+?)\n\n/.exec(readFileSync('docs/operation.md', 'utf8')) ?? []
  const paths = [...listed.matchAll(/`(\/\S+)`/g)].map(([, path]) => path)
  expect(paths.sort()).toEqual(OPEN)
})
