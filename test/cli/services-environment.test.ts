import { expect, test } from 'vitest'
import { servicesEnvironment } from '../../cli/services-environment.js'
import { settings } from '../../settings.js'

/** Read by the main process alone: its doors, what they say of the box, the log, and the bench that it starts. */
const OF_MAIN = [
  ['HOST', 'HTTP_PORT', 'MQTT_PORT', 'MQTT_WS_PORT', 'ALLOW_INSECURE', 'ALLOWED_HOSTS', 'MQTT_URL'],
  ['BRIDGE_CA', 'BRIDGE_CERT', 'BRIDGE_KEY', 'BRIDGE_FAMILIES'],
  ['TLS_CERT', 'TLS_KEY', 'TLS_CA'],
  [
    'BOX_API_KEY',
    'UNIT_API_PASSWORD',
    'MQTT_USERNAME',
    'MQTT_PASSWORD',
    'MQTT_LEADER_PASSWORD',
    'MQTT_WORKER_PASSWORD',
  ],
  ['BOX_BUILD', 'BOX_BUILD_ID', 'BOX_DEVICES'],
  ['RECORD_EXCLUDE'],
  ['SIMULATED_POTENTIOSTATS'],
].flat()

test('the services get every setting but those of the main process', () => {
  const environment = Object.fromEntries(Object.keys(settings).map((name) => [name, 'given']))
  const given = servicesEnvironment({ home: '/home/of/unit' }, environment)
  expect(given['BENCHLOG_HOME']).toBe('/home/of/unit')
  const missing = Object.keys(settings).filter((name) => given[name] === undefined)
  expect(missing.sort()).toEqual(OF_MAIN.sort())
})
