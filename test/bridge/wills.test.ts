import { describe, expect, it } from 'vitest'
import { layCable } from '../support/cut-cable.js'
import { eventually } from '../support/eventually.js'
import { startMosquitto, withoutMosquitto } from '../support/mosquitto.js'
import { until } from '../support/until.js'
import { createBridgeLab, event, listen, retainedAt } from './bridge-lab.js'

const STIRRING = 'pioreactor/u1/exp/stirring/$state'
const MONITOR = 'pioreactor/u1/$experiment/monitor/$state'
const OVER = 'pioreactor/u1/exp/od_reading/$state'

const state = (topic: string, payload: string) => event(topic, payload, { retain: true })

async function givenJobs() {
  const [lab, mosquitto] = [await createBridgeLab(), await startMosquitto('sys_interval 1')]
  const cable = await layCable(mosquitto.port)
  const client = await mosquitto.connect()
  const received = await listen(client, 'pioreactor/#')
  const connections = async (): Promise<number> => {
    const found = await retainedAt(client, '$SYS/broker/clients/connected')
    return Number(found.get('$SYS/broker/clients/connected'))
  }
  await lab.log.append([
    state(STIRRING, 'ready'),
    state(MONITOR, 'ready'),
    state(OVER, 'ready'),
    state(OVER, 'disconnected'),
  ])
  const bridge = lab.bridgeTo({ host: '127.0.0.1', port: cable.port, tls: null })
  const states = async () => Object.fromEntries(await retainedAt(client, 'pioreactor/+/+/+/$state'))
  return { lab, bridge, cable, received, states, connections }
}

describe.skipIf(withoutMosquitto)('wills at the peer', () => {
  it('say of every job that lives that it is lost when the unit is gone, and are corrected when it is back', async () => {
    const { lab, bridge, cable, received, states, connections } = await givenJobs()
    await lab.caughtUp(bridge)
    // The client of the test, the bridge, and two jobs.
    await until(async () => (await connections()) === 4, 'the wills to be at the peer', 30_000)
    cable.cut()
    await eventually(async () =>
      expect(await states()).toEqual({ [STIRRING]: 'lost', [MONITOR]: 'lost', [OVER]: 'disconnected' }),
    )
    cable.mend()
    await eventually(async () =>
      expect(await states()).toEqual({ [STIRRING]: 'ready', [MONITOR]: 'ready', [OVER]: 'disconnected' }),
    )
    expect(received).not.toContain(`${OVER} lost`)
  }, 60_000)

  it('are taken back when a job ends, and when the unit ends by itself', async () => {
    const { lab, bridge, received, states, connections } = await givenJobs()
    await lab.caughtUp(bridge)
    await until(async () => (await connections()) === 4, 'the wills to be at the peer', 30_000)
    await lab.log.append([state(STIRRING, 'disconnected')])
    await until(async () => (await connections()) === 3, 'the will to be taken back', 30_000)
    await bridge.stop()
    expect(await states()).toEqual({ [STIRRING]: 'disconnected', [MONITOR]: 'ready', [OVER]: 'disconnected' })
    expect(received.filter((line) => line.endsWith(' lost'))).toEqual([])
  }, 60_000)
})
