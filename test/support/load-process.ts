import { connectAsync } from 'mqtt'

/** A program that publishes with QoS 1 and 2 and a clean session: `node load-process.js <port> <name>`. Tells its parent what was
 * acknowledged. It is killed with the unit. */
const [port = '', name = ''] = process.argv.slice(2)
const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
  protocolVersion: 4,
  reconnectPeriod: 0,
  clientId: name,
})
client.on('error', () => undefined)
let count = 0
const publish = (): void => {
  if (!client.connected) return
  const qos = count % 2 === 0 ? 1 : 2
  const payload = `${qos} ${name} ${count++}`
  client.publish(`load/${count % 20}`, payload, { qos, retain: count % 5 === 0 }, (error) => {
    if (error == null) process.send?.(payload)
    setImmediate(publish)
  })
}
for (let lane = 0; lane < 3; lane++) publish()
process.once('disconnect', () => process.exit())
