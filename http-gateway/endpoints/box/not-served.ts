import { Type } from '@sinclair/typebox'
import { defineError } from '../../../events/core/errors.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'
import { withStatus } from '../../framework/errors.js'

const NotServed = withStatus(
  501,
  defineError(
    'request.not_served',
    'input',
    'Box API: an endpoint of other services that this one has not; `hint` says what to do instead.',
  ),
)

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
    errors: [NotServed],
    handle() {
      throw new NotServed(`This box does not serve ${path}: ${summary}.`, { remediation: hint })
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
