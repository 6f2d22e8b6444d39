import { writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { findPeer } from '../../cli/bridge-peer.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const NOTHING = { mqttUrl: '', bridgeCa: '', bridgeCert: '', bridgeKey: '', unit: 'u1' }

function given(...lines: readonly string[]) {
  const dotPioreactor = temporaryDirectory()
  writeFileSync(join(dotPioreactor, 'config.ini'), `${lines.join('\n')}\n`)
  return { ...NOTHING, dotPioreactor }
}

describe('the peer of the bridge', () => {
  it('is the broker of the cluster, with its credentials', async () => {
    expect(await findPeer(given('[mqtt]', 'broker_address=leader.local;10.0.0.9', 'broker_port=1884'))).toEqual({
      ...{ host: 'leader.local', port: 1884, tls: null, username: 'pioreactor', password: 'raspberry' },
    })
    const anonymous = given('[mqtt]', 'username=', 'password=', '[cluster.topology]', 'leader_address=10.0.0.9')
    expect(await findPeer(anonymous)).toEqual({ host: '10.0.0.9', port: 1883, tls: null })
  })

  it('is shown and trusts the certificates of the settings', async () => {
    const files = { bridgeCa: '/ca.pem', bridgeCert: '/c.pem', bridgeKey: '/k.pem' }
    const tls = { ca: '/ca.pem', cert: '/c.pem', key: '/k.pem' }
    expect(await findPeer({ ...given('[mqtt]', 'broker_address=l.local', 'use_tls=1'), ...files })).toMatchObject({
      tls,
    })
    const mqttUrl = 'mqtts://me:a%40b@[fd00::1]'
    expect(await findPeer({ ...given(), ...files, mqttUrl })).toEqual({
      ...{ host: 'fd00::1', port: 8883, username: 'me', password: 'a@b', tls },
    })
  })

  it.each(['localhost', '127.0.0.1', '127.0.1.1', 'u1.local', 'U1', hostname(), ''])(
    'is nobody at %s',
    async (address) => expect(await findPeer(given('[mqtt]', `broker_address=${address}`))).toBeNull(),
  )

  test.each(['0', '70000', 'mqtt'])('is refused with port %s', async (port) => {
    const settings = given('[mqtt]', 'broker_address=l.local', `broker_port=${port}`)
    await expect(findPeer(settings)).rejects.toThrow(`[mqtt] broker_port is '${port}'; it must be a port, 1 to 65535.`)
  })
})
