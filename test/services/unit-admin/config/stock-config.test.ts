import { Type } from '@sinclair/typebox'
import { expect, test } from 'vitest'
import { defineJob } from '../../../../events/core/define-job.js'
import { jobDefinitions } from '../../../../services/bioreactor/index.js'
import { stockConfig } from '../../../../services/unit-admin/config/stock-config.js'

const lines = (jobs: Parameters<typeof stockConfig>[1]): string[] =>
  [...stockConfig('/home', jobs)].flatMap(([section, options]) =>
    [...options].map(([option, value]) => `[${section}] ${option} = ${value}`),
  )

test('the stock configuration of the jobs is that of Pioreactor', () => {
  const stock = lines(jobDefinitions)
  for (const line of [
    '[stirring.config] initial_target_rpm = 500',
    '[stirring.config] pwm_hz = 200',
    '[stirring.config] post_delay_duration = 0.25',
    '[stirring.config] target_rpm_outside_od_reading = 500',
    '[stirring.pid] Kp = 0.005',
    '[od_reading.config] samples_per_second = 0.2',
    '[od_reading.config] ref_normalization = unity',
    '[od_reading.config] use_dark_offsets = True',
    '[PWM] 1 = stirring',
    '[leds] A = IR',
    '[storage] database = /home/storage/pioreactor.sqlite',
  ]) {
    expect(stock).toContain(line)
  }
  expect(stock.filter((line) => line.includes('local_ac_hz'))).toEqual([])
})

test('what a job declares stands nowhere else', () => {
  const undeclared = stockConfig('/home', [])
  const declared = jobDefinitions.flatMap(({ parameters }) =>
    Object.values(parameters).flatMap(({ config = [] }) => [config]),
  )
  const twice = declared.filter(([section = '', option = '']) => undeclared.get(section)?.has(option) === true)
  expect(twice).toEqual([])
})

test('two defaults for one option are refused by name', () => {
  const job = (name: string, fallback: number) =>
    defineJob({
      name,
      help: '',
      parameters: { a: { schema: Type.Number(), doc: '', config: ['x.config', 'a'], default: fallback } },
    })
  expect(lines([job('x', 1), job('y', 1)])).toContain('[x.config] a = 1')
  expect(() => lines([job('x', 1), job('y', 2)])).toThrow("[x.config] a is declared with two defaults, '1' and '2'.")
})
