import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { connectAsync } from 'mqtt'

/** Publishes to a unit at a steady rate until its parent ends, a process of its own. Told by a message where, and how many per second. */
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.once('message', ({ port, perSecond }: { readonly port: number; readonly perSecond: number }) => {
  void stream(port, perSecond)
})

async function stream(port: number, perSecond: number): Promise<void> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4, reconnectPeriod: 0 })
  const startMs = performance.now()
  for (let sent = 0; ; ) {
    const due = ((performance.now() - startMs) * perSecond) / 1000
    for (; sent < due; sent++) client.publish(`bench/${sent % 100}`, String(sent), { qos: 1, retain: true })
    await delay(1)
  }
}
