import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { latencyOf } from '../../benchmarks/quantiles.js'
import { verifyLog } from '../../event-log/verify.js'
import { startHonestClient } from '../support/honest-client.js'
import { createLabHome } from '../support/start-lab.js'

const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 60)
const SEED = Number(process.env['FUZZ_SEED'] ?? 1)

const fuzzer = fileURLToPath(new URL('../support/packet-fuzzer-process.js', import.meta.url))

test(
  `mutated packets for ${SECONDS} s, seed ${SEED}: a whole unit goes on, its log is sound, an honest client is answered in time`,
  async () => {
    const home = createLabHome()
    onTestFinished(() => home.remove())
    const lab = await home.start()
    const services = lab.servicesPid()
    const stopHonest = await startHonestClient(lab.mqttPort)
    const child = fork(fuzzer, [lab.mqttPort, lab.wsPort, SEED, SECONDS].map(String))
    onTestFinished(() => {
      child.kill('SIGKILL')
    })
    const [{ clients }] = (await once(child, 'message')) as [{ clients: number }]
    const { sent, received, lost, timesMs } = await stopHonest()
    const { p50Ms, p99Ms } = latencyOf(timesMs)
    process.stdout.write(
      `${clients} clients; an honest one beside them: p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms\n`,
    )

    expect([lab.main.exitCode, lab.main.signalCode]).toEqual([null, null])
    expect(lab.servicesPid()).toBe(services)
    expect(lost).toBe(0)
    expect(timesMs).toHaveLength(sent)
    expect(received).toEqual(Array.from({ length: sent }, (_, i) => String(i)))
    await lab.get('/unit_api/health')
    expect(await lab.interrupt()).toBe(0)
    expect(verifyLog(join(home.home, 'event-log.db')).problems).toEqual([])
    expect(p99Ms).toBeLessThan(50)
  },
  1000 * SECONDS + 120_000,
)
