import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { openForWriting } from '../../projections/engine/database.js'
import { Projector } from '../../projections/engine/projector.js'
import { projections } from '../../projections/index.js'
import { MemoryLog, TEST_EPOCH_MS, type TestEvent } from '../support/memory-log.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { odReading, T0 } from './lab-events.js'

/** Folds the events and answers questions in SQL, as a notebook asks them. */
function fold(events: readonly TestEvent[], ask: (rows: (sql: string) => object[]) => void): void {
  const database: Database.Database = openForWriting(join(temporaryDirectory(), 'read-models.db'))
  const projector = new Projector(database, new MemoryLog(events), projections)
  while (projector.foldNext() > 0);
  projector.createIndexes()
  ask((sql) => database.prepare<[], object>(sql).all())
  database.close()
}

const at = (seconds: number): string => new Date(TEST_EPOCH_MS + seconds * 1000).toISOString()
const event = (path: string, payload: TestEvent['payload'], retain = true): TestEvent => ({
  topic: `pioreactor/u1/exp/${path}`,
  ...(payload === undefined ? {} : { payload }),
  retain,
})
const dose = (name: string, volume_change: number, timestamp = T0): TestEvent =>
  event('dosing_events', { volume_change, event: name, source_of_event: 'CLI', timestamp }, false)

describe('every change of a setting is kept', () => {
  test('also those a Pioreactor forgets: set points, heater, cumulative volumes, the level of the waste tube', () => {
    const changes = [
      ['stirring/target_rpm', '500'],
      ['stirring/target_rpm', '450.5'],
      ['temperature_automation/heater_duty_cycle', '17.17'],
      ['bioreactor/cumulative_media_added_ml', '3.5'],
      ['bioreactor/efflux_tube_volume_ml', '15'],
      ['stirring/enable_dodging_od', 'True'],
      ['stirring/$state', 'ready'],
      ['stirring/target_rpm', ''],
    ] as const
    fold(
      changes.map(([path, payload]) => event(path, payload)),
      (rows) => {
        expect(rows('SELECT job_name, setting, timestamp, value FROM setting_changes')).toEqual(
          changes.map(([path, payload], index) => {
            const [job_name, setting] = path.split('/')
            const value = { '': null, True: 1, ready: 'ready' }[payload as string]
            return { job_name, setting, timestamp: at(index + 1), value: value === undefined ? Number(payload) : value }
          }),
        )
      },
    )
  })

  test('but neither occurrences nor structures, nor scratch work', () => {
    fold(
      [
        event('stirring/target_rpm', '1', false),
        event('leds/intensity', { A: 1 }),
        event('stirring/target_rpm/set', '900', false),
        { topic: 'pioreactor/u1/_testing_exp/stirring/target_rpm', payload: '700' },
      ],
      (rows) => expect(rows('SELECT * FROM setting_changes')).toEqual([]),
    )
  })
})

test('every step of a PID controller is kept', () => {
  const step = {
    setpoint: 500,
    output_limits_lb: -5,
    output_limits_ub: 5,
    Kd: 0,
    Ki: 0.1,
    Kp: 0.2,
    integral: 1,
    proportional: 2,
    derivative: 0,
    latest_input: 490,
    latest_output: 3,
    job_name: 'stirring',
    target_name: 'rpm',
  }
  fold(
    [event('pid_log/rpm', step, false), event('pid_log/temperature', { ...step, setpoint: null }, false)],
    (rows) => {
      expect(rows('SELECT * FROM pid_logs')).toEqual([
        { experiment: 'exp', pioreactor_unit: 'u1', timestamp: at(1), ...step },
        { experiment: 'exp', pioreactor_unit: 'u1', timestamp: at(2), ...step, setpoint: null },
      ])
    },
  )
})

test('an experiment profile that somebody runs is kept', () => {
  fold(
    [
      event('experiment_profile/7/experiment_profile_name', 'growth'),
      event('experiment_profile/7/experiment_profile_name', ''),
    ],
    (rows) =>
      expect(rows('SELECT * FROM experiment_profile_runs')).toEqual([
        { experiment: 'exp', pioreactor_unit: 'u1', started_at: at(1), experiment_profile_name: 'growth' },
      ]),
  )
})

describe('what a unit measures and does, by time', () => {
  const events = [
    odReading('1', 0.2, T0),
    odReading('2', -0.1, T0),
    event('temperature_automation/temperature', { temperature: 30.5, timestamp: T0 }),
    event('stirring/measured_rpm', { measured_rpm: 499, timestamp: at(30) }),
    event('led_change_events', { channel: 'C', intensity: 40, source_of_event: null, timestamp: T0 }, false),
    dose('add_media', 0.5),
    dose('add_media', 0.25),
    dose('remove_waste', 0.75, at(30)),
    odReading('1', 0.4, at(61)),
  ]

  test('photodiodes read at one time do not overwrite each other, and doses of one time add up', () => {
    fold(events, (rows) => {
      const wide = rows('SELECT * FROM pioreactor_unit_activity_data ORDER BY timestamp')
      expect(wide).toHaveLength(3)
      expect(wide[0]).toMatchObject({
        experiment: 'exp',
        pioreactor_unit: 'u1',
        timestamp: T0,
        od_reading: 0.05,
        od_reading_1: 0.2,
        od_reading_2: -0.1,
        od_reading_3: null,
        temperature_c: 30.5,
        led_c_intensity_update: 40,
        led_a_intensity_update: null,
        add_media_ml: 0.75,
        remove_waste_ml: null,
        growth_rate: null,
      })
      expect(wide[1]).toMatchObject({ measured_rpm: 499, remove_waste_ml: 0.75, od_reading: null })
    })
  })

  test('and by minute', () => {
    fold(events, (rows) => {
      expect(rows('SELECT * FROM pioreactor_unit_activity_data_rollup ORDER BY timestamp')).toEqual([
        {
          experiment: 'exp',
          pioreactor_unit: 'u1',
          timestamp: '2026-11-20 09:00:00',
          avg_od_reading: 0.05,
          avg_od_fused: null,
          avg_normalized_od_reading: null,
          avg_temperature_c: 30.5,
          avg_growth_rate: null,
          avg_measured_rpm: 499,
          sum_add_media_ml: 0.75,
          sum_remove_waste_ml: 0.75,
          sum_add_alt_media_ml: null,
        },
        expect.objectContaining({ timestamp: '2026-11-20 09:01:00', avg_od_reading: 0.4, sum_add_media_ml: null }),
      ])
    })
  })
})

describe('the recorder loses nothing', () => {
  test('what a table cannot hold is parked with its reason, and all else goes on', () => {
    fold(
      [
        event('temperature_automation/temperature', { temperature: 'warm', timestamp: T0 }),
        event('temperature_automation/temperature', { temperature: 30, timestamp: T0 }),
      ],
      (rows) => {
        expect(rows('SELECT temperature_c FROM temperature_readings')).toEqual([{ temperature_c: 30 }])
        expect(rows('SELECT position, projection, reason FROM parked_events')).toEqual([
          { position: 1, projection: 'temperature_readings', reason: expect.stringContaining('warm') as unknown },
        ])
      },
    )
  })

  test('a raw reading below zero, as a blank makes it, is one like any other', () => {
    const raw = (od: number): TestEvent =>
      event('od_reading/raw_od2', { calibrated: 0, timestamp: T0, angle: '90', od, channel: '2', ir_led_intensity: 80 })
    fold([odReading('2', -0.01, T0), raw(-0.02)], (rows) => {
      expect(rows('SELECT od_reading FROM od_readings')).toEqual([{ od_reading: -0.01 }])
      expect(rows('SELECT od_reading FROM raw_od_readings')).toEqual([{ od_reading: -0.02 }])
    })
  })

  test('times are those of the unit, whenever the tables are made', () => {
    const recordedAt = Date.parse('2020-02-03T04:05:06.789Z')
    fold(
      [
        { ...event('bioreactor/current_volume_ml', '14.5'), recordedAt },
        { ...event('pwms/dc', '{"13": 100.0, "18": 17.17}'), recordedAt },
        { ...event('led_automation/latest_event', { event_name: 'NoEvent', message: null, data: null }), recordedAt },
        {
          ...event('logs/app/info', { source: 'app', task: 'x', message: 'm', level: 'INFO', timestamp: T0 }, false),
          recordedAt,
        },
      ],
      (rows) => {
        const timestamp = '2020-02-03T04:05:06.789Z'
        expect(rows('SELECT timestamp, liquid_volume FROM liquid_volumes')).toEqual([
          { timestamp, liquid_volume: 14.5 },
        ])
        expect(rows('SELECT timestamp, channel_1, channel_2, channel_5 FROM pwm_dcs')).toEqual([
          { timestamp, channel_1: 0, channel_2: 100, channel_5: 17.17 },
        ])
        expect(rows('SELECT timestamp, data FROM led_automation_events')).toEqual([{ timestamp, data: '""' }])
        expect(rows('SELECT timestamp, level FROM logs')).toEqual([{ timestamp: T0, level: 'INFO' }])
      },
    )
  })
})

describe('optical density and growth', () => {
  test('what the filter knows is a row with the upper half of its covariance', () => {
    const covariance_matrix = [
      [1, 2, 3],
      [2, 4, 5],
      [3, 5, 6],
    ]
    const output = { state: [0.1, 0.2, 0.3], covariance_matrix, timestamp: T0 }
    const sent = event('growth_rate_calculating/kalman_filter_outputs', output, false)
    fold([sent, sent], (rows) => {
      expect(rows('SELECT * FROM kalman_filter_outputs')).toEqual([
        {
          experiment: 'exp',
          pioreactor_unit: 'u1',
          timestamp: T0,
          ...{ state_0: 0.1, state_1: 0.2, state_2: 0.3 },
          ...{ cov_00: 1, cov_01: 2, cov_02: 3, cov_11: 4, cov_12: 5, cov_22: 6 },
        },
      ])
    })
  })

  test('a reading that a blank takes below zero is kept, and so is the blank, of every photodiode', () => {
    const reading = { calibrated: 0, timestamp: T0, angle: '135', od: -0.01, channel: '4', ir_led_intensity: 80 }
    fold(
      [
        event('od_reading/od4', reading),
        event('od_reading/raw_od4', reading),
        event('od_blank/mean/4', { ...reading, od: 0.02 }),
        event('od_blank/mean/4', ''),
      ],
      (rows) => {
        expect(rows('SELECT od_reading, angle, channel FROM od_readings')).toEqual([
          { od_reading: -0.01, angle: 135, channel: 4 },
        ])
        expect(rows('SELECT od_reading, channel FROM raw_od_readings')).toEqual([{ od_reading: -0.01, channel: 4 }])
        expect(rows('SELECT od_reading, angle, channel FROM od_blanks')).toEqual([
          { od_reading: 0.02, angle: 135, channel: '4' },
        ])
      },
    )
  })

  test('a value at the end of its calibration is one like any other', () => {
    const clamped = (name: string) => ({ [name]: 1.5, timestamp: T0, quality: 'clamped' })
    fold(
      [
        event('od_reading/od_fused', clamped('od_fused')),
        event('growth_rate_calculating/growth_rate', clamped('growth_rate')),
        event('growth_rate_calculating/od_filtered', clamped('od_filtered')),
      ],
      (rows) => {
        expect(rows('SELECT od_reading FROM od_readings_fused')).toEqual([{ od_reading: 1.5 }])
        expect(rows('SELECT rate FROM growth_rates')).toEqual([{ rate: 1.5 }])
        expect(rows('SELECT normalized_od_reading FROM od_readings_filtered')).toEqual([{ normalized_od_reading: 1.5 }])
      },
    )
  })
})
