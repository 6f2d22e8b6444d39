import { createServer } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { createServer as createSocketServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { webServerAnswers } from '../../../../services/bioreactor/monitor/web-server.js'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

const listen = async (server: Server): Promise<number> => {
  servers.push(server)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

test.each([
  [200, true],
  [503, false],
])('health with status %i: %s', async (status, answers) => {
  const port = await listen(
    createServer((request, response) => {
      response.writeHead(request.url === '/unit_api/health' ? status : 404).end('{}')
    }),
  )
  expect(await webServerAnswers(`http://127.0.0.1:${port}`)).toBe(answers)
})

test('a port that nobody has does not answer, with or without TLS; one that takes connections does with TLS', async () => {
  const server = createSocketServer()
  const port = await listen(server)
  expect(await webServerAnswers(`https://127.0.0.1:${port}`)).toBe(true)
  await new Promise((resolve) => void server.close(resolve))
  expect(await webServerAnswers(`https://127.0.0.1:${port}`)).toBe(false)
  expect(await webServerAnswers(`http://127.0.0.1:${port}`)).toBe(false)
})
