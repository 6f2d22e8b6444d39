import { expect } from 'vitest'
import { outputsOn } from './bench-outputs.js'
import type { Lab } from './start-lab.js'
import { until } from './until.js'

/** Stirring, optical density and a long measurement: something of every kind that can be left on. Resolves with the run's id once it is on. */
export async function startWork(lab: Lab): Promise<string> {
  await until(
    async () =>
      (await lab.get<{ connected?: boolean }[]>('/devices')).filter(({ connected }) => connected).length === 2,
    'slots',
  )
  const env = { EXPERIMENT: 'crash' }
  for (const job of ['stirring', 'od_reading']) await lab.send('POST', `/unit_api/jobs/run/job_name/${job}`, { env })
  const { status, body } = await lab.send<{ run_id: string }>('POST', '/jobs', {
    devices: 'all',
    modes: ['CA'],
    params_by_mode: { CA: { potential: 0.3, duration: 600 } },
    tia_gain: 1,
    experiment_name: 'crash',
    client_datetime: '2026-01-01T00-00-00',
    make_plot: false,
  })
  expect([status, body]).toEqual([200, expect.objectContaining({ run_id: expect.any(String) })])
  const working = ['pwm 17', 'cell'] as const
  await until(
    () => working.every((output) => outputsOn(lab.home).some((on) => on.startsWith(output))),
    () => `outputs to be on, but on is: ${outputsOn(lab.home)}\n${lab.output()}`,
  )
  return body.run_id
}
