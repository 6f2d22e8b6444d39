import { Type } from '@sinclair/typebox'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'
import { RequestRefused } from '../../framework/errors.js'

/** Endpoints that later services of this family have and this one has not, and what to do in their place: clients find a reason, not an
 * unknown path. */
const UPDATES = 'Update Benchlog on the computer of the box: with its package manager, or npm.'
const FIRMWARE =
  'Flash the potentiostat by USB: send it BOOT_DFU_MODE, then use dfu-util; it must not hold a run meanwhile.'
const TELEMETRY = 'Devices have no history of temperatures here; the values of runs come by MQTT and in their files.'

const notServed = (method: 'get' | 'post', path: string, summary: string, hint: string): Endpoint =>
  endpoint({
    method,
    path,
    summary: `Not served: ${summary}.`,
    params: Type.Object(
      Object.fromEntries([...path.matchAll(/:(\w+)/g)].map(([, name = '']) => [name, Type.String()])),
    ),
    response: Type.Never(),
    errors: ['request.not_served'],
    handle() {
      throw new RequestRefused('request.not_served', `This box does not serve ${path}: ${summary}.`, hint)
    },
  })

export const notServedHere: readonly Endpoint[] = [
  notServed('post', '/firmware/flash', 'flashing of firmware', FIRMWARE),
  notServed('post', '/updates/package', 'updates by package', UPDATES),
  notServed('get', '/updates', 'updates by package', UPDATES),
  notServed('get', '/updates/:update_id', 'updates by package', UPDATES),
  notServed('get', '/api/telemetry/temperature/latest', 'temperatures', TELEMETRY),
  notServed('get', '/api/telemetry/temperature/stream', 'temperatures', TELEMETRY),
]
