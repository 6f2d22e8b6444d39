import { hostname } from 'node:os'
import { isOwnAddress } from '../bridge/open-socket.js'
import { type Peer, parsePeer } from '../bridge/peer.js'
import type { Config } from '../config.js'
import { InvalidInput } from '../events/core/errors.js'
import { stockConfig } from '../services/unit-admin/config/stock-config.js'
import { readUnitConfig, type UnitConfig } from '../services/unit-admin/config/unit-config.js'

type PeerSettings = Pick<Config, 'mqttUrl' | 'bridgeCa' | 'bridgeCert' | 'bridgeKey' | 'dotPioreactor' | 'unit'>

/** The broker that `MQTT_URL` names, or else section `mqtt` of the configuration, as on a unit of a Pioreactor cluster; null: none.
 * @throws InvalidInput when the configuration cannot be read or names an impossible port */
export async function findPeer(settings: PeerSettings): Promise<Peer | null> {
  const { mqttUrl, dotPioreactor, unit } = settings
  const peer =
    mqttUrl === ''
      ? configuredPeer(await readUnitConfig(dotPioreactor, stockConfig(dotPioreactor, [])), unit)
      : parsePeer(mqttUrl)
  return peer === null || peer.tls === null ? peer : { ...peer, tls: tlsOf(settings) }
}

const tlsOf = ({ bridgeCa, bridgeCert, bridgeKey }: PeerSettings): Peer['tls'] => ({
  ...(bridgeCa === '' ? {} : { ca: bridgeCa }),
  ...(bridgeCert === '' ? {} : { cert: bridgeCert, key: bridgeKey }),
})

/** The first of the addresses, or that of the leader. One of this machine is no peer: a leader's files name itself, and here that is our own broker. */
function configuredPeer(config: UnitConfig, unit: string): Peer | null {
  const addresses = config.find('mqtt', 'broker_address') || config.find('cluster.topology', 'leader_address') || ''
  const host = addresses.split(';')[0]?.trim() ?? ''
  if (host === '' || isThisMachine(host, unit)) return null
  const text = config.find('mqtt', 'broker_port') || '1883'
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new InvalidInput(`[mqtt] broker_port is '${text}'; it must be a port, 1 to 65535.`)
  }
  const [username, password] = [config.find('mqtt', 'username'), config.find('mqtt', 'password')]
  return {
    host,
    port,
    tls: /^(1|true|yes|on)$/i.test(config.find('mqtt', 'use_tls') ?? '') ? {} : null,
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
  }
}

function isThisMachine(host: string, unit: string): boolean {
  const name = host.toLowerCase().replace(/\.local$/, '')
  return (
    [
      'localhost',
      unit.toLowerCase(),
      hostname()
        .toLowerCase()
        .replace(/\.local$/, ''),
    ].includes(name) || isOwnAddress(host)
  )
}
