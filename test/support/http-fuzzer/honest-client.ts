/** A process of its own: asks the unit some forty times a second, and reports its 99th percentile in milliseconds when it is told to end. */
import { Agent, get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

const [url = ''] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true })
const latencies: number[] = []
let failures = 0
let ended = false

const ask = (): Promise<void> =>
  new Promise((resolve) => {
    const begun = performance.now()
    get(`${url}/unit_api/jobs/running`, { agent }, (response) => {
      if (response.statusCode !== 200) failures++
      response.resume().on('end', () => {
        latencies.push(performance.now() - begun)
        resolve()
      })
    }).on('error', () => {
      failures++
      resolve()
    })
  })

process.on('message', () => {
  ended = true
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
while (!ended) {
  await ask()
  await delay(20)
}
latencies.sort((one, other) => one - other)
const quantile = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN
process.send?.({
  requests: latencies.length,
  failures,
  p50Ms: quantile(0.5),
  p99Ms: quantile(0.99),
  maxMs: quantile(1),
})
