import { resolve } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { readConfig } from '../config.js'
import { unitSettings } from '../settings.js'

describe('settings', () => {
  it('are all optional', () => {
    const config = readConfig({})
    expect(config).toMatchObject({
      home: resolve('.benchlog'),
      runsRoot: resolve('.benchlog/runs'),
      hardware: 'simulated',
      host: '127.0.0.1',
      httpPort: 8000,
      mqttPort: 1883,
      mqttWsPort: 9001,
      instruments: { potentiostat: { SIMULATED_POTENTIOSTATS: 2 } },
    })
    expect(config.unit).toMatch(/^[A-Za-z0-9_-]+$/)
    expect(config.box).toBe(config.unit)
  })

  it('are each under the name of their variable, so that a new one has no list of its own', () => {
    const config = readConfig({
      LOG_LEVEL: 'warn',
      SIMULATION_SEED: '7',
      BOX_ID: 'left',
    })
    expect(config).toMatchObject({ logLevel: 'warn', simulationSeed: 7, boxId: 'left', box: 'left', mqttUrl: '' })
    const camelCase = (name: string) => name.toLowerCase().replace(/_./g, (pair) => pair.slice(1).toUpperCase())
    expect(Object.keys(unitSettings).filter((name) => !Object.hasOwn(config, camelCase(name)))).toEqual([])
  })

  it('are frozen', () => expect(Object.isFrozen(readConfig({}))).toBe(true))

  it('treat an empty variable as absent', () => expect(readConfig({ HTTP_PORT: '' }).httpPort).toBe(8000))

  it('put paths below the data directory', () =>
    expect(readConfig({ BENCHLOG_HOME: '/data/bench' }).eventLogPath).toBe('/data/bench/event-log.db'))

  it('name the build by whichever variable is set first', () => {
    expect(readConfig({}).build).toBe('')
    expect(readConfig({ BOX_BUILD_ID: 'id' }).build).toBe('id')
    expect(readConfig({ BOX_BUILD: 'b', BOX_BUILD_ID: 'id' }).build).toBe('b')
  })

  it('name where the files of runs go', () => {
    const layout = (env: Record<string, string>) => readConfig(env).instruments['potentiostat']
    expect(layout({})).toMatchObject({ BOX_LAYOUT: 'contract', BOX_FILE_NAME: 'short' })
    const wells = { BOX_LAYOUT: 'wells', BOX_FILE_NAME: 'full' }
    expect(layout(wells)).toMatchObject(wells)
    expect(() => readConfig({ BOX_LAYOUT: 'flat' })).toThrow('BOX_LAYOUT is "flat"; allowed are ["contract","wells"].')
  })

  it('report every problem at once, each with variable, value and what is allowed', () => {
    let message = ''
    try {
      readConfig({ HTTP_PORT: '80000', HARDWARE: 'fake', SIMULATION_SPEED: '0', UNIT_NAME: 'a/b' })
    } catch (error) {
      message = (error as Error).message
    }
    expect(message.split('\n')).toEqual([
      'HARDWARE is "fake"; allowed are ["simulated","real"].',
      'HTTP_PORT is 80000; it must be at most 65535.',
      'UNIT_NAME is "a/b"; it must match ^[A-Za-z0-9_-]+$.',
      'SIMULATION_SPEED is 0; it must be above 0.',
    ])
  })
})

describe('doors on an outside address', () => {
  const secrets = { BOX_API_KEY: 'k', UNIT_API_PASSWORD: 'p', MQTT_USERNAME: 'u', MQTT_PASSWORD: 'q' }

  it('all need a secret', () =>
    expect(() => readConfig({ HOST: '0.0.0.0' })).toThrow(/BOX_API_KEY[\s\S]*UNIT_API_PASSWORD[\s\S]*MQTT_USERNAME/))

  it.each([
    ['MQTT_PASSWORD', 'MQTT_USERNAME'],
    ['MQTT_USERNAME', 'MQTT_PASSWORD'],
  ])('a %s without a %s shuts or opens less than it seems', (given, lacking) =>
    expect(() => readConfig({ [given]: 'x' })).toThrow(`${given} is set but ${lacking} is not; a client needs both.`),
  )

  it('are shut by their secrets', () => expect(readConfig({ HOST: '0.0.0.0', ...secrets }).host).toBe('0.0.0.0'))

  it('may be left open by name', () =>
    expect(readConfig({ HOST: '0.0.0.0', ALLOW_INSECURE: 'box_api, unit_api, mqtt' }).host).toBe('0.0.0.0'))

  test.each([['nonsense'], ['box_api,nonsense']])('cannot be left open as %s', (names) =>
    expect(() => readConfig({ ALLOW_INSECURE: names })).toThrow(
      /names 'nonsense'; allowed are box_api, unit_api, mqtt/,
    ),
  )

  it('need no secret on loopback', () => expect(readConfig({ HOST: '::1' }).host).toBe('::1'))
})

it('wants certificate and key together', () => {
  const paths = { TLS_CERT: 'a.pem', TLS_KEY: '/b.pem' }
  expect(readConfig({}).tls).toBeNull()
  expect(readConfig(paths).tls).toEqual({ cert: resolve('a.pem'), key: '/b.pem' })
  expect(readConfig({ ...paths, TLS_CA: '/c.pem' }).tls).toMatchObject({ ca: '/c.pem' })
  expect(() => readConfig({ TLS_CERT: 'a.pem' })).toThrow('TLS_CERT is set but TLS_KEY is not; TLS needs both.')
  expect(() => readConfig({ TLS_KEY: 'a.pem' })).toThrow('TLS_KEY is set but TLS_CERT is not; TLS needs both.')
  expect(() => readConfig({ TLS_CA: 'a.pem' })).toThrow(/TLS_CA is set but TLS_CERT and TLS_KEY are not/)
})

it('takes hosts without scheme and port', () => {
  expect(readConfig({ ALLOWED_HOSTS: 'bench.example, fd00::1' }).allowedHosts).toEqual(['bench.example', 'fd00::1'])
  expect(() => readConfig({ ALLOWED_HOSTS: 'bench:8000,http://b' })).toThrow(
    /ALLOWED_HOSTS names 'bench:8000'; give a host name or an address, without scheme and port.\n.*'http:\/\/b'/,
  )
})

it('allows nothing with the computer but what is named', () => {
  expect(readConfig({}).systemActions).toEqual([])
  expect(readConfig({ SYSTEM_ACTIONS: ' clock,reboot' }).systemActions).toEqual(['reboot', 'clock'])
  expect(() => readConfig({ SYSTEM_ACTIONS: 'clock,sh' })).toThrow(/SYSTEM_ACTIONS names 'sh'; allowed are reboot, /)
  expect(() => readConfig({ UPDATE_PROGRAM: 'update' })).toThrow(/UPDATE_PROGRAM/)
})

it('refuses accelerated time on real hardware', () =>
  expect(() => readConfig({ HARDWARE: 'real', SIMULATION_SPEED: '10' })).toThrow(
    /SIMULATION_SPEED is 10; with HARDWARE=real/,
  ))

describe('the peer of the bridge', () => {
  it.each(['leader.local', 'http://me:secret@leader.local', 'mqtt://', 'mqtt://me:secret@leader.local/topic'])(
    'is an MQTT address, unlike %s, and its password is not shown',
    (MQTT_URL) => {
      const start = () => readConfig({ MQTT_URL })
      expect(start).toThrow(/MQTT_URL must read mqtt:\/\/host/)
      expect(start).not.toThrow(/secret/)
    },
  )

  it('is shown a certificate with its key, and first levels of topics', () => {
    expect(() => readConfig({ BRIDGE_CERT: 'c.pem' })).toThrow(/BRIDGE_CERT is set but BRIDGE_KEY is not/)
    expect(() => readConfig({ BRIDGE_FAMILIES: 'pioreactor/#' })).toThrow(/BRIDGE_FAMILIES names 'pioreactor\/#'/)
    expect(readConfig({ BRIDGE_CERT: '/c.pem', BRIDGE_KEY: '/k.pem' })).toMatchObject({ bridgeCert: '/c.pem' })
  })
})

test.each(['service', 'leader', 'worker'])('refuses %s as the name of outside clients', (name) =>
  expect(() => readConfig({ MQTT_USERNAME: name, MQTT_PASSWORD: 'p' })).toThrow(/MQTT_USERNAME is \w+; this name/),
)
