import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { NewEvent } from '../../events/event.js'
import { eventually } from '../support/eventually.js'
import { startMosquitto, withoutMosquitto } from '../support/mosquitto.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { until } from '../support/until.js'
import { createBridgeLab, event, firstOnes, listen, numbered, retainedAt } from './bridge-lab.js'

const peerAt = (port: number) => ({ host: '127.0.0.1', port, tls: null })
const lineOf = ({ topic, payload }: NewEvent): string => `${topic} ${Buffer.from(payload).toString()}`

describe.skipIf(withoutMosquitto)('with a Mosquitto as the peer', () => {
  it("what the unit tells goes there in log order, with its retain flag; orders, assignments and others' topics do not", async () => {
    const [lab, mosquitto] = [await createBridgeLab(), await startMosquitto()]
    const client = await mosquitto.connect()
    const received = await listen(client)
    const told = [
      event('pioreactor/u1/exp/stirring/$state', 'ready', { retain: true, qos: 2 }),
      event('pioreactor/u1/exp/stirring/target_rpm', '500', { retain: true }),
      event('pioreactor/u1/exp/dosing_events', '{}', { qos: 0 }),
      event('potentiostat/left/run/order', '{}', { qos: 2 }),
      event('system/u1/jobs/1', '{}', { qos: 2, retain: true }),
      event('pioreactor/u1/exp/stirring/target_rpm/set/outcome', '{}'),
    ]
    const kept = [
      event('pioreactor/u1/exp/stirring/target_rpm/set', '500'),
      event('pioreactor/$broadcast/exp/stirring/$state/set', 'disconnected'),
      event('system/u1/commands/start', '{}'),
      event('pioreactor/u1/exp/monitor/flicker_led_response_okay', '1'),
      event('pioreactor/u1/$experiment/assignment', '{}', { retain: true }),
      event('pioreactor/u2/exp/stirring/target_rpm', '1', { retain: true }),
      event('home/kitchen/temperature', '20'),
      event('pioreactor/u1/exp/logs/app/info', '{}', { client: `bridge 127.0.0.1:${mosquitto.port}` }),
    ]
    await lab.log.append(told.flatMap((one, index) => [one, ...kept.slice(index, index + 1)]))
    await lab.log.append(kept)
    const bridge = lab.bridgeTo(peerAt(mosquitto.port))
    await lab.caughtUp(bridge)
    await eventually(() => expect(received).toEqual(told.map(lineOf)))
    const retained = await retainedAt(client, 'pioreactor/#')
    expect([...retained.keys()]).toEqual(['pioreactor/u1/exp/stirring/$state', 'pioreactor/u1/exp/stirring/target_rpm'])
  })

  it('only configured families go there, others than ours whole', async () => {
    const [lab, mosquitto] = [await createBridgeLab(), await startMosquitto()]
    const received = await listen(await mosquitto.connect())
    await lab.log.append([event('pioreactor/u1/exp/a/b', '1'), event('home/kitchen', '2'), event('system/u1/x', '3')])
    const bridge = lab.bridgeTo(peerAt(mosquitto.port), { families: ['home', 'system'] })
    await lab.caughtUp(bridge)
    await eventually(() => expect(received).toEqual(['home/kitchen 2', 'system/u1/x 3']))
  })

  it('a new peer is told what is retained, and what comes from now on', async () => {
    const [lab, mosquitto] = [await createBridgeLab(), await startMosquitto()]
    const client = await mosquitto.connect()
    await lab.log.append([
      event('pioreactor/u1/exp/a/kept', '1', { retain: true }),
      event('pioreactor/u1/exp/a/gone', '1', { retain: true }),
      event('pioreactor/u1/exp/a/gone', '', { retain: true }),
      event('pioreactor/u1/exp/a/once', '1'),
    ])
    const received = await listen(client)
    const bridge = lab.bridgeTo(peerAt(mosquitto.port), { floor: lab.reader.lastPosition() })
    await eventually(() => expect(received).toEqual(['pioreactor/u1/exp/a/kept 1']))
    await lab.log.append([event('pioreactor/u1/exp/a/once', '2')])
    await lab.caughtUp(bridge)
    await eventually(() => expect(received).toEqual(['pioreactor/u1/exp/a/kept 1', 'pioreactor/u1/exp/a/once 2']))
  })

  it('values that the peer retains under the name of the unit are brought to those of the unit', async () => {
    const [lab, mosquitto] = [await createBridgeLab(), await startMosquitto()]
    const client = await mosquitto.connect()
    const old = {
      'u1/e/a/stale': 'x',
      'u1/e/a/wrong': 'y',
      'u1/e/a/right': 'z',
      'u1/$experiment/assignment': '{}',
      'u2/e/a/other': 'w',
    }
    for (const [topic, payload] of Object.entries(old)) {
      await client.publishAsync(`pioreactor/${topic}`, payload, { qos: 1, retain: true })
    }
    const received = await listen(client)
    const ours = { 'u1/e/a/wrong': 'Y', 'u1/e/a/right': 'z', 'u1/e/a/new': 'n' }
    await lab.log.append(
      Object.entries(ours).map(([topic, payload]) => event(`pioreactor/${topic}`, payload, { retain: true })),
    )
    lab.bridgeTo(peerAt(mosquitto.port), { floor: lab.reader.lastPosition() })
    await eventually(() =>
      expect(received.toSorted()).toEqual([
        'pioreactor/u1/e/a/new n',
        'pioreactor/u1/e/a/stale ',
        'pioreactor/u1/e/a/wrong Y',
      ]),
    )
    const retained = await retainedAt(client, 'pioreactor/#')
    expect(Object.fromEntries(retained)).toEqual({
      'pioreactor/u1/e/a/wrong': 'Y',
      'pioreactor/u1/e/a/right': 'z',
      'pioreactor/u1/e/a/new': 'n',
      'pioreactor/u1/$experiment/assignment': '{}',
      'pioreactor/u2/e/a/other': 'w',
    })
  })

  it('killed again and again under load, restarted empty, it has had every event in order, and retains what the unit does', async () => {
    // What it has received stands in its log. A subscriber would not do: a message that it has acknowledged and not yet handed on dies with it.
    const lab = await createBridgeLab()
    const mosquitto = await startMosquitto('log_type debug', 'log_dest stderr', 'log_timestamp false')
    const topicOf = (count: number): string => `pioreactor/u1/exp/job/count${count}`
    const eventOf = (count: number): NewEvent => event(topicOf(count), String(count), { retain: count % 100 === 0 })
    const received = (): string[] =>
      [...mosquitto.log().matchAll(/^Received PUBLISH from .*'(pioreactor\/[^']+)'/gm)].map(([, topic = '']) => topic)
    const bridge = lab.bridgeTo(peerAt(mosquitto.port))
    let next = 0
    let isLoaded = true
    const load = (async () => {
      while (isLoaded) {
        await until(() => lab.reader.lastPosition() < bridge.status().position + 10_000, 'the peer to come after')
        await lab.log.append(Array.from({ length: 200 }, (_, index) => eventOf(next + index)))
        next += 200
      }
    })()
    for (let kill = 0; kill < 3; kill++) {
      const before = bridge.status().position
      await until(() => bridge.status().position > before + 2000, 'the peer to be told')
      await mosquitto.end('SIGKILL')
      await until(() => !bridge.status().connected, 'the loss to be noticed')
      await mosquitto.start()
    }
    isLoaded = false
    await load
    await lab.caughtUp(bridge)
    const topics = Array.from({ length: next }, (_, count) => topicOf(count))
    await eventually(() => expect(firstOnes(received()).slice(0, next)).toEqual(topics))
    const client = await mosquitto.connect()
    await eventually(async () =>
      expect(Object.fromEntries(await retainedAt(client, 'pioreactor/#'))).toEqual(
        Object.fromEntries(topics.flatMap((topic, count) => (count % 100 === 0 ? [[topic, String(count)]] : []))),
      ),
    )
  }, 120_000)

  it('a peer that was away gets what it missed, oldest first, and again only what it had not acknowledged', async () => {
    const [lab, mosquitto] = [await createBridgeLab(), await startMosquitto()]
    const client = await mosquitto.connect()
    const received = await listen(client)
    const first = lab.bridgeTo(peerAt(mosquitto.port))
    await lab.log.append(numbered(0, 100))
    await lab.caughtUp(first)
    await first.stop()
    await lab.log.append(numbered(100, 5000))
    const second = lab.bridgeTo(peerAt(mosquitto.port), { floor: lab.reader.lastPosition() })
    await lab.caughtUp(second)
    await eventually(() =>
      expect(received).toEqual(Array.from({ length: 5100 }, (_, count) => `pioreactor/u1/exp/job/count ${count}`)),
    )
    expect(second.status().repeated).toBe(0)
  })

  it('wrong credentials are told, and right ones let in', async () => {
    const lab = await createBridgeLab()
    const passwords = join(temporaryDirectory(), 'passwords')
    // Made by `mosquitto_passwd -b <file> unit secret`.
    writeFileSync(
      passwords,
      'unit:$6$DKAfQCP0CCdDbbye$jreNY4sJEUwJmcVc9moIc8xHuQwXwLmLbYtK4OlXAFhQYnLhYpJvQGetwDl+c+HnsFzI5WoPXoxhP7gCh+ITpA==\n',
    )
    const mosquitto = await startMosquitto('allow_anonymous false', `password_file ${passwords}`)
    const refused = lab.bridgeTo({ ...peerAt(mosquitto.port), username: 'unit', password: 'wrong' })
    await eventually(() => expect(refused.status().reason).toMatch(/Not authorized/i))
    await refused.stop()
    const bridge = lab.bridgeTo({ ...peerAt(mosquitto.port), username: 'unit', password: 'secret' })
    await eventually(() => expect(bridge.status()).toMatchObject({ connected: true, reason: null }))
  })
})
