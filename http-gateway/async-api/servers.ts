const address = (port: string, meaning: string) => ({
  host: '{host}:{port}',
  variables: {
    host: { default: 'localhost', description: 'Address of the unit.' },
    port: { default: port, description: meaning },
  },
})

const MQTT = address('1883', '`MQTT_PORT`')
const WEB_SOCKET = address('9001', '`MQTT_WS_PORT`')

const PASSWORD = { $ref: '#/components/securitySchemes/password' }
const CERTIFICATE = { $ref: '#/components/securitySchemes/certificate' }
const VERSION = '3.1.1'

/** The doors of the broker. With a certificate (`TLS_CERT`, `TLS_KEY`) every port speaks TLS, without one none does. */
export const servers = {
  mqtt: {
    ...MQTT,
    protocol: 'mqtt',
    protocolVersion: VERSION,
    description: 'MQTT 3.1.1 or 3.1 over TCP, while `TLS_CERT` is not set.',
    security: [PASSWORD],
  },
  mqtts: {
    ...MQTT,
    protocol: 'mqtts',
    protocolVersion: VERSION,
    description: 'MQTT 3.1.1 or 3.1 over TLS, on the same port, when `TLS_CERT` is set.',
    security: [PASSWORD, CERTIFICATE],
  },
  ws: {
    ...WEB_SOCKET,
    protocol: 'ws',
    description:
      'MQTT over WebSocket, subprotocol `mqtt`, while `TLS_CERT` is not set; also at `/mqtt` of the HTTP port.',
    security: [PASSWORD],
  },
  wss: {
    ...WEB_SOCKET,
    protocol: 'wss',
    description: 'MQTT over WebSocket with TLS, on the same ports, when `TLS_CERT` is set.',
    security: [PASSWORD, CERTIFICATE],
  },
}

export const securitySchemes = {
  password: {
    type: 'userPassword',
    description:
      'User name and password of the MQTT connection, asked for when `MQTT_USERNAME` is set; otherwise everybody may connect. ' +
      'Clients may subscribe to everything and publish commands, and topics of their own outside `pioreactor/`, `potentiostat/` and `system/`. ' +
      'The user `leader`, with `MQTT_LEADER_PASSWORD`, may also assign experiments and publish profiles and logs; the user `worker`, ' +
      'with `MQTT_WORKER_PASSWORD`, is another unit and publishes `pioreactor/` under its own name.',
  },
  certificate: {
    type: 'X509',
    description:
      'A client certificate signed by an authority of `TLS_CA`, asked for beside the password when `TLS_CA` is set.',
  },
}
