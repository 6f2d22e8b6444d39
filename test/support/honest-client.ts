import { setTimeout as delay } from 'node:timers/promises'
import mqtt from 'mqtt'

export interface HonestReport {
  readonly sent: number
  /** Milliseconds from publishing to the acknowledgement, of each message. */
  readonly timesMs: readonly number[]
  /** Payloads received, in order. */
  readonly received: readonly string[]
  /** How often the connection was lost. */
  readonly lost: number
}

/** A client that behaves: publishes `0`, `1`, … to `honest/…` with QoS 1, and listens to itself. Resolves once it is connected.
 * @returns what ends it, when everything sent is acknowledged and received, with its report */
export async function startHonestClient(port: number, everyMs = 10): Promise<() => Promise<HonestReport>> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: 4,
    clientId: 'honest',
    clean: true,
    reconnectPeriod: 0,
  })
  const timesMs: number[] = []
  const received: string[] = []
  let lost = 0
  let sent = 0
  let stopping = false
  client.on('close', () => lost++)
  client.on('message', (_topic, payload) => received.push(payload.toString()))
  await client.subscribeAsync('honest/#', { qos: 1 })
  const publishAll = async (): Promise<void> => {
    const under: Promise<void>[] = []
    while (!stopping) {
      const begun = performance.now()
      under.push(
        client.publishAsync(`honest/${sent % 10}`, String(sent), { qos: 1 }).then(() => {
          timesMs.push(performance.now() - begun)
        }),
      )
      sent++
      await delay(everyMs)
    }
    await Promise.all(under)
  }
  const work = publishAll()
  work.catch(() => undefined)
  return async () => {
    stopping = true
    await work
    while (received.length < sent && lost === 0) await delay(5)
    const report = { sent, timesMs, received, lost }
    await client.endAsync(true)
    return report
  }
}
