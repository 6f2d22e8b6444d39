import { execFile } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPage, withoutBrowser } from '../support/open-browser.js'
import { createLabHome, type Lab } from '../support/start-lab.js'

const run = promisify(execFile)
const isMissing = (peer: string): boolean => process.env['REQUIRE_PEERS'] !== '1' && !existsSync(peer)

describe('a unit with a certificate it made itself', () => {
  const home = createLabHome()
  const cert = join(home.home, 'tls', 'cert.pem')
  const key = join(home.home, 'tls', 'key.pem')
  let lab: Lab

  beforeAll(async () => {
    const made = home.launch({}, 'certificate')
    expect(await made.exited(), made.output()).toBe(0)
    expect(made.output()).toContain(`TLS_CERT=${cert}`)
    expect(made.output()).toContain(`TLS_KEY=${key}`)
    lab = await home.start({ TLS_CERT: cert, TLS_KEY: key, SIMULATED_POTENTIOSTATS: '0' })
  })
  afterAll(() => home.remove())

  it('keeps the key to itself and does not write over it', async () => {
    expect(statSync(key).mode & 0o777).toBe(0o600)
    const again = home.launch({}, 'certificate')
    expect(await again.exited()).toBe(1)
    expect(again.output()).toContain(`${key} was not written: EEXIST`)
  })

  it('says so in its banner', () => {
    expect(lab.output()).toMatch(
      /https:\/\/localhost:\d+\n.*https:\/\/localhost:\d+\/docs\n.*mqtts:.*\n.*wss:.* and wss:/,
    )
  })

  it.skipIf(isMissing('/usr/bin/curl'))(
    'is trusted by curl that is given the certificate, and by no other',
    async () => {
      const health = `${lab.url}/unit_api/health`
      const { stdout } = await run('curl', ['-sS', '--max-time', '20', '--cacert', cert, health])
      expect(JSON.parse(stdout)).toMatchObject({ status: 'ok' })
      await expect(run('curl', ['-sS', '--max-time', '20', health])).rejects.toMatchObject({ code: 60 })
      await expect(run('curl', ['-sS', '--max-time', '20', health.replace('https', 'http')])).rejects.toThrow()
    },
  )

  it.skipIf(isMissing('/usr/bin/mosquitto_sub'))('is trusted by mosquitto_sub with --cafile', async () => {
    const door = ['-h', 'localhost', '-p', String(lab.mqttPort), '-W', '5', '-C', '1', '-t', 'system/lab/service']
    const { stdout } = await run('mosquitto_sub', [...door, '--cafile', cert])
    expect(JSON.parse(stdout)).toMatchObject({ state: 'ready' })
    await expect(run('mosquitto_sub', door)).rejects.toThrow()
  })

  it.skipIf(withoutBrowser)('shows its dashboard in a browser, which connects by WSS', async () => {
    const { page, close } = await openPage(lab.url)
    try {
      await expect.poll(() => page.locator('#services').innerText()).toBe('services ready')
    } finally {
      await close()
    }
  })
})

it('does not start with a key that is not there, and says which', async () => {
  const home = createLabHome()
  try {
    const launched = home.launch({ TLS_CERT: '/nowhere/cert.pem', TLS_KEY: '/nowhere/key.pem' })
    expect(await launched.exited()).toBe(1)
    expect(launched.output()).toMatch(
      /^TLS_CERT: \/nowhere\/cert.pem cannot be read: ENOENT.*\nTLS_KEY: \/nowhere\/key.pem/,
    )
    expect(launched.output()).not.toMatch(/^ +at /m)
  } finally {
    await home.remove()
  }
})
