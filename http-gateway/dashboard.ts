import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { type RequestHandler, Router } from 'express'

const PAGE_FILES = ['dashboard.css', 'dashboard.js'] as const

/** The dashboard: one static page that talks REST and MQTT-on-WebSocket like any other client, offline included. */
export function dashboard(): Router {
  const root = fileURLToPath(new URL('../../dashboard/', import.meta.url))
  const mqttScript = createRequire(import.meta.url).resolve('mqtt/dist/mqtt.min')
  const file =
    (name: string): RequestHandler =>
    (_request, response) => {
      response.sendFile(name, { root, etag: false, lastModified: false, cacheControl: false })
    }
  const router = Router({ caseSensitive: true, strict: true })
  router.get('/', file('index.html'))
  for (const name of PAGE_FILES) router.get(`/${name}`, file(name))
  router.get('/mqtt.js', (_request, response) => {
    response.type('text/javascript').sendFile(mqttScript)
  })
  return router
}
