// Longer than 300 lines: entries of the contract as they stand there.

import { Type } from '@sinclair/typebox'
import { describe, expect, test } from 'vitest'
import type { JobCapability } from '../../../events/core/capability.js'
import { defineJob } from '../../../events/core/define-job.js'
import { choice } from '../../../events/core/values.js'
import { dosingAutomations } from '../../../services/bioreactor/dosing/automations/index.js'
import { dosingAutomation } from '../../../services/bioreactor/dosing/dosing-automation.js'
import { jobDefinitions } from '../../../services/bioreactor/index.js'
import { ledIntensity } from '../../../services/bioreactor/leds/led-intensity.js'
import { temperatureAutomations } from '../../../services/bioreactor/temperature/automations/index.js'
import { temperatureAutomation } from '../../../services/bioreactor/temperature/temperature-automation.js'

/** Entries of `unit-api-behaviour` §4.2 and §4.3, declared here where the product does not have them, against what stands there. */

type Option = readonly [name: string, long_flag: string, type: string, fallback: unknown]

const options = (list: readonly Option[], more: Readonly<Record<string, object>> = {}) =>
  list.map(([name, long_flag, type, fallback]) => ({
    name,
    long_flag,
    help: expect.any(String) as unknown,
    required: false,
    multiple: false,
    default: fallback,
    type,
    ...more[name],
  }))

/** What the unit API gives of a capability. */
function contract({ form: _, long_running: __, ...entry }: JobCapability) {
  return entry
}

const STATE = { datatype: 'string', settable: true }
const sourceOfEvent = { schema: Type.String(), doc: 'Who asked.', option: true, default: 'CLI' } as const

describe('an entry of the contract follows from a declaration', () => {
  test('led_intensity: flags that keep their upper case, nothing published', () => {
    expect(contract(ledIntensity.capability('u1'))).toEqual({
      job_name: 'led_intensity',
      help: expect.any(String) as unknown,
      arguments: [],
      options: options([
        ['a', 'A', 'float range', null],
        ['b', 'B', 'float range', null],
        ['c', 'C', 'float range', null],
        ['d', 'D', 'float range', null],
        ['source_of_event', 'source-of-event', 'text', 'CLI'],
        ['no_log', 'no-log', 'boolean', false],
      ]),
      published_settings: {},
      cli_example: 'pio run led_intensity [OPTIONS]',
    })
  })

  test('circulate_media and add_media: an option that is required, flags, numbers without a default', () => {
    const circulate = defineJob({
      name: 'circulate_media',
      help: 'Run two pumps.',
      action: true,
      stopOrder: 'outputs',
      parameters: {
        duration: { schema: Type.Number({ minimum: 0 }), unit: 's', doc: '', option: { required: true } },
        source_of_event: sourceOfEvent,
      },
    })
    expect(circulate.capability('u1').options).toEqual(
      options(
        [
          ['duration', 'duration', 'float', null],
          ['source_of_event', 'source-of-event', 'text', 'CLI'],
        ],
        { duration: { required: true } },
      ),
    )
  })

  test('pumps: any number of arguments', () => {
    const pumps = defineJob({
      name: 'pumps',
      help: 'Run a pump script.',
      action: true,
      parameters: { pump_script: { schema: Type.Array(Type.String()), doc: 'Pairs.', argument: true } },
    })
    expect(contract(pumps.capability('u1'))).toMatchObject({
      arguments: [{ name: 'pump_script', nargs: -1, required: false, type: 'text' }],
      options: [],
      published_settings: {},
      cli_example: 'pio run pumps PUMP_SCRIPT[OPTIONS]',
    })
  })

  test('self_test: a flag that is declared as text', () => {
    const selfTest = defineJob({
      name: 'self_test',
      help: 'Check.',
      action: true,
      parameters: {
        k: { schema: Type.String(), doc: 'Filter.', option: true },
        retry_failed: { schema: Type.Boolean(), doc: 'Failed ones.', option: { type: 'text' } },
      },
    })
    expect(selfTest.capability('u1').options).toEqual(
      options([
        ['k', 'k', 'text', null],
        ['retry_failed', 'retry-failed', 'text', null],
      ]),
    )
  })

  test('monitor: JSON that can be set, and payload structures', () => {
    const Voltage = Type.Object({ voltage: Type.Number(), timestamp: Type.String() }, { title: 'Voltage' })
    const published = true as const
    const monitor = defineJob({
      name: 'monitor',
      help: 'Watch the machine.',
      longRunning: true,
      parameters: {
        computer_statistics: { schema: Type.Object({}), doc: '', published },
        button_down: { schema: Type.Boolean(), doc: '', published },
        versions: { schema: Type.Record(Type.String(), Type.String()), doc: '', settable: true },
        voltage_on_pwm_rail: { schema: Voltage, doc: '', published, valuePath: 'voltage' },
        ipv4: { schema: Type.String(), doc: '', published },
        wlan_mac_address: { schema: Type.String(), doc: '', published },
        eth_mac_address: { schema: Type.String(), doc: '', published },
      },
    })
    const { published_settings, form } = monitor.capability('u1')
    expect(published_settings).toEqual({
      computer_statistics: { datatype: 'json', settable: false },
      button_down: { datatype: 'boolean', settable: false },
      versions: { datatype: 'json', settable: true },
      voltage_on_pwm_rail: { datatype: 'Voltage', settable: false },
      ipv4: { datatype: 'string', settable: false },
      wlan_mac_address: { datatype: 'string', settable: false },
      eth_mac_address: { datatype: 'string', settable: false },
      $state: STATE,
    })
    expect(form.settings.find(({ name }) => name === 'voltage_on_pwm_rail')).toMatchObject({ value_path: 'voltage' })
  })
})

describe('an automation is an entry of its own', () => {
  const EVENT = {
    automation_name: { datatype: 'string', settable: false },
    latest_event: { datatype: 'AutomationEvent', settable: false },
  }
  const number = (unit: string) => ({ schema: Type.Number(), unit, doc: 'A number.', settable: true }) as const
  const asked = { schedule: 'on_news', decide: () => ({}) } as const

  test('turbidostat: options are the settable settings, without help', () => {
    const turbidostat = dosingAutomation(
      {
        name: 'turbidostat',
        help: 'Hold a biomass.',
        parameters: {
          exchange_volume_ml: { ...number('mL'), default: 1 },
          target_biomass: number('OD/AU'),
          biomass_signal: {
            schema: choice(['normalized_od', 'od_fused', 'od', 'auto']),
            doc: '',
            settable: true,
            config: ['dosing_automation.turbidostat', 'biomass_signal'],
            default: 'auto',
          },
        },
      },
      asked,
    ).definition
    const capability = turbidostat.capability('u1')
    expect(contract(capability)).toEqual({
      job_name: 'dosing_automation',
      automation_name: 'turbidostat',
      help: 'Hold a biomass.',
      arguments: [],
      options: [
        ['exchange_volume_ml', 'exchange-volume-ml', 'float'],
        ['target_biomass', 'target-biomass', 'float'],
        ['biomass_signal', 'biomass-signal', 'string'],
      ].map(([name, long_flag, type]) => ({
        name,
        long_flag,
        help: '',
        required: false,
        multiple: false,
        default: null,
        type,
      })),
      published_settings: {
        ...EVENT,
        exchange_volume_ml: { datatype: 'float', settable: true, unit: 'mL' },
        target_biomass: { datatype: 'float', settable: true, unit: 'OD/AU' },
        biomass_signal: { datatype: 'string', settable: true },
        $state: STATE,
      },
      cli_example: 'pio run dosing_automation --automation-name turbidostat [OPTIONS]',
    })
    expect(Object.keys(capability.published_settings).at(-1)).toBe('$state')
    expect(capability.form.start).toMatchObject([
      { name: 'exchange_volume_ml', required: false, default: 1 },
      { name: 'target_biomass', required: true },
      { name: 'biomass_signal', required: false, schema: { enum: expect.arrayContaining(['auto']) as unknown } },
    ])
  })

  test('thermostat: what its kind publishes comes before its own', () => {
    const thermostat = temperatureAutomation(
      { name: 'thermostat', help: '', parameters: { target_temperature: number('℃') } },
      asked,
    ).definition
    const { published_settings, help } = thermostat.capability('u1')
    expect(help).not.toBe('')
    expect(Object.entries(published_settings)).toEqual(
      Object.entries({
        ...EVENT,
        temperature: { datatype: 'Temperature', settable: false, unit: '℃' },
        heater_duty_cycle: { datatype: 'float', settable: false, unit: '%' },
        target_temperature: { datatype: 'float', settable: true, unit: '℃' },
        $state: STATE,
      }),
    )
  })

  const minutes = { datatype: 'float', settable: true, unit: 'min' }
  const milliliters = { datatype: 'float', settable: true, unit: 'mL' }
  test.each([
    [
      'turbidostat',
      {
        exchange_volume_ml: milliliters,
        target_biomass: { datatype: 'float', settable: true, unit: 'OD/AU' },
        biomass_signal: { datatype: 'string', settable: true },
      },
    ],
    ['chemostat', { duration: minutes, exchange_volume_ml: milliliters }],
    ['fed_batch', { duration: minutes, dosing_volume_ml: milliliters }],
    [
      'pid_morbidostat',
      {
        duration: minutes,
        target_normalized_od: { datatype: 'float', settable: true, unit: 'AU' },
        target_growth_rate: { datatype: 'float', settable: true, unit: 'h⁻¹' },
      },
    ],
    ['silent', {}],
  ])('dosing: %s', (name, settings) => {
    const { definition } = dosingAutomations.find((one) => one.definition.automation === name) ?? expect.fail(name)
    const { options: offered, published_settings } = definition.capability('u1')
    expect(offered.map(({ name: option }) => option)).toEqual(Object.keys(settings))
    expect(published_settings).toEqual({ ...EVENT, ...settings, $state: STATE })
  })

  test.each([
    ['thermostat', { target_temperature: { datatype: 'float', settable: true, unit: '℃' } }],
    ['only_record_temperature', {}],
  ])('temperature: %s', (name, settings) => {
    const { definition } = temperatureAutomations.find((one) => one.definition.automation === name) ?? expect.fail(name)
    const { options: offered, published_settings } = definition.capability('u1')
    expect(offered.map(({ name: option }) => option)).toEqual(Object.keys(settings))
    expect(published_settings).toMatchObject({ ...EVENT, ...settings, $state: STATE })
  })

  test('light_dark_cycle', () => {
    const cycle = jobDefinitions.find(({ key }) => key === 'led_automation/light_dark_cycle') ?? expect.fail()
    expect(contract(cycle.capability('u1'))).toMatchObject({
      options: ['light_intensity', 'light_duration_minutes', 'dark_duration_minutes'].map((name) => ({
        name,
        type: 'float',
      })),
      published_settings: {
        ...EVENT,
        light_intensity: { datatype: 'float', settable: true, unit: '%' },
        light_duration_minutes: minutes,
        dark_duration_minutes: minutes,
        $state: STATE,
      },
    })
  })

  test('silent has neither options nor settings of its own', () => {
    const silent = jobDefinitions.find(({ key }) => key === 'led_automation/silent') ?? expect.fail()
    expect(contract(silent.capability('u1'))).toMatchObject({
      options: [],
      published_settings: { ...EVENT, $state: STATE },
      cli_example: 'pio run led_automation --automation-name silent [OPTIONS]',
    })
  })
})

describe('the jobs of the product', () => {
  test.each(jobDefinitions.map((job) => [job.key, job] as const))('%s tells a form all it needs', (_, job) => {
    const { form, arguments: positional, options: listed } = job.capability('u1')
    expect(form.start.map(({ name }) => name).sort()).toEqual([...positional, ...listed].map(({ name }) => name).sort())
    for (const field of form.settings) {
      expect(field.label).not.toBe('')
      expect(field.help).not.toBe('')
      expect(field.topic).toBe(`pioreactor/u1/{experiment}/${job.name}/${field.name}`)
    }
  })

  test('a form of stirring has range, unit, step, topics, path and states', () => {
    const { settings } = (jobDefinitions[0] ?? expect.fail()).capability('u1').form
    const field = (name: string) => settings.find((setting) => setting.name === name)
    expect(field('target_rpm')).toEqual({
      name: 'target_rpm',
      label: 'Target stir RPM',
      help: expect.any(String) as unknown,
      datatype: 'float',
      schema: expect.objectContaining({ type: 'number', minimum: 0, maximum: 1500, unit: 'RPM', step: 10 }) as unknown,
      when: expect.any(String) as unknown,
      topic: 'pioreactor/u1/{experiment}/stirring/target_rpm',
      command_topic: 'pioreactor/u1/{experiment}/stirring/target_rpm/set',
      outcome_topic: 'pioreactor/u1/{experiment}/stirring/target_rpm/set/outcome',
    })
    expect(field('measured_rpm')).toMatchObject({ datatype: 'MeasuredRPM', value_path: 'measured_rpm' })
    expect(field('measured_rpm')).not.toHaveProperty('command_topic')
    expect(field('$state')).toMatchObject({
      schema: { enum: ['init', 'ready', 'sleeping', 'disconnected', 'lost'] },
      command_schema: { enum: ['ready', 'sleeping', 'disconnected'] },
    })
  })
})

describe('a declaration that contradicts itself is refused by name', () => {
  const declared = (name: string, parameters: Parameters<typeof defineJob>[0]['parameters']) => () =>
    defineJob({ name, help: '', parameters })
  const number = { schema: Type.Number({ maximum: 5 }), doc: '' }

  test.each([
    ['Stirring', {}, 'lower-case'],
    ['leds', {}, 'means something else'],
    ['x', { a__b: { ...number, published: true } }, 'a__b'],
    ['x', { a: number }, 'neither taken at the start nor published'],
    ['x', { a: { ...number, option: true, default: 6 } }, 'at most 5'],
    ['x', { a: { ...number, option: true, argument: true } }, 'an option and an argument'],
    ['x', { a: { ...number, option: true, persist: true } }, 'not published'],
    ['x', { a: { ...number, option: true, step: 0 } }, 'above 0'],
    ['x', { a: { ...number, published: true, valuePath: 'b' } }, "no value at 'b'"],
    ['x', { a: { schema: choice(['p', 'q']), doc: '', option: true, default: 'r' } }, 'allowed are'],
  ] as const)('%s %j', (name, parameters, named) => expect(declared(name, parameters)).toThrow(named))
})
