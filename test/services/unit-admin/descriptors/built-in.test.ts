import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AUTOMATION_TYPES } from '../../../../events/descriptors/descriptors.js'
import { jobDefinitions } from '../../../../services/bioreactor/index.js'
import { resolveParameters } from '../../../../services/jobs/resolve-parameters.js'
import { UnitConfig } from '../../../../services/unit-admin/config/unit-config.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { DescriptorLab } from './descriptor-lab.js'

let lab: DescriptorLab
beforeEach(() => {
  lab = new DescriptorLab(temporaryDirectory())
})
afterEach(() => lab.stop())

describe('what is built in', () => {
  beforeEach(() => lab.start())

  test('are the cards of Pioreactor', () => {
    expect(
      lab.jobs().map(({ job_name, display_name, display, subtext }) => [job_name, display_name, display, subtext]),
    ).toEqual([
      ['stirring', 'Stirring', true, null],
      ['od_reading', 'Optical density', true, null],
      ['growth_rate_calculating', 'Growth rate', true, null],
      ['temperature_automation', 'Temp. automation', true, 'automation_name'],
      ['dosing_automation', 'Dosing automation', true, 'automation_name'],
      ['led_automation', 'LED automation', true, 'automation_name'],
      ['add_media', 'add media', false, null],
      ['remove_waste', 'remove waste', false, null],
      ['add_alt_media', 'add alt media', false, null],
      ['circulate_media', 'circulate media', false, null],
      ['circulate_alt_media', 'circulate alt media', false, null],
      ['self_test', 'self test', false, null],
      ['od_blank', 'od blank', false, null],
      ['stirring_calibration', 'stirring calibration', false, null],
    ])
    const shown = lab
      .jobs()
      .flatMap(({ job_name, published_settings }) =>
        published_settings.map((setting) => [
          job_name,
          setting.key,
          setting.label,
          setting.type,
          setting.unit,
          setting.display,
        ]),
      )
    expect(shown.filter(([job]) => job !== 'self_test')).toEqual([
      ['stirring', 'target_rpm', 'Target stir RPM', 'numeric', 'RPM', true],
      ['temperature_automation', 'target_temperature', 'Target temperature', 'numeric', '℃', true],
      ['temperature_automation', 'automation_name', null, 'string', null, false],
      ['dosing_automation', 'duration', 'Time between dosing', 'numeric', 'min', true],
      ['dosing_automation', 'exchange_volume_ml', 'Exchange volume', 'numeric', 'mL', true],
      ['dosing_automation', 'target_biomass', 'Target biomass', 'numeric', 'OD/AU', true],
      ['dosing_automation', 'biomass_signal', 'Biomass signal', 'string', null, true],
      ['dosing_automation', 'automation_name', null, 'string', null, false],
      ['led_automation', 'automation_name', null, 'string', null, false],
      ['od_blank', 'means', null, 'json', null, false],
    ])
    const tests = shown.filter(([job]) => job === 'self_test')
    expect(tests).toHaveLength(13)
    expect(tests.filter(([, , , type]) => type === 'json').map(([, key]) => key)).toEqual([
      'correlations_between_pds_and_leds',
    ])
    expect(Object.keys(lab.jobs()[0]?.published_settings[0] ?? {})).toEqual(
      'key type display description default unit label editable min max'.split(' '),
    )
  })

  test('are the collections of Pioreactor, with defaults of the configuration and limits of the values', () => {
    const rows = lab
      .settings()
      .flatMap(({ key, published_settings }) =>
        published_settings.map((s) => [key, s.key, s.label, s.type, s.unit, s.editable, s.default, s.min, s.max]),
      )
    expect(rows).toEqual([
      ['bioreactor', 'current_volume_ml', 'Current volume', 'numeric', 'mL', true, 15, 0, null],
      ['bioreactor', 'efflux_tube_volume_ml', 'Efflux tube level', 'numeric', 'mL', true, 15, 0, null],
      ['bioreactor', 'alt_media_fraction', 'Alt media fraction', 'numeric', null, true, 0, 0, 1],
      ['bioreactor', 'cumulative_media_added_ml', 'Cumulative media added', 'numeric', 'mL', true, 0, 0, null],
      ['bioreactor', 'cumulative_waste_removed_ml', 'Cumulative waste removed', 'numeric', 'mL', true, 0, 0, null],
      ['leds', 'intensity', 'LED intensity', 'string', null, false, null, null, null],
      ['pwms', 'dc', 'PWM intensity', 'string', null, false, null, null, null],
    ])
  })

  test('are the forms of Pioreactor', () => {
    const rows = AUTOMATION_TYPES.flatMap((type) =>
      lab
        .forms(type)
        .flatMap(({ automation_name, fields }) =>
          fields.map((f) => [automation_name, f.key, f.label, f.default, f.unit, f.type, f.disabled].join(' · ')),
        ),
    )
    expect(rows).toEqual([
      'thermostat · target_temperature · Target temperature · 30 · ℃ · numeric · false',
      'chemostat · duration · Time between dosing · 20 · min · numeric · false',
      'chemostat · exchange_volume_ml · Exchange volume · 0.5 · mL · numeric · false',
      'turbidostat · target_biomass · Target ·  · OD/AU · numeric · false',
      'turbidostat · exchange_volume_ml · Exchange volume · 1 · mL · numeric · false',
      'turbidostat · biomass_signal · Biomass signal · auto ·  · string · false',
      'fed_batch · duration · Duration between additions · 720 · min · numeric · false',
      'fed_batch · dosing_volume_ml · Volume per dose · 1 · mL · numeric · false',
      'pid_morbidostat · duration · Time between events · 60 · min · numeric · false',
      'pid_morbidostat · target_normalized_od · Target OD · 1.5 · AU · numeric · false',
      'pid_morbidostat · target_growth_rate · Target growth rate · 0.1 · h⁻¹ · numeric · false',
      'silent · duration · Duration between events · 30 · min · numeric · true',
      'light_dark_cycle · duration · Duration between checks · 1 · min · numeric · true',
      'light_dark_cycle · light_intensity · Light intensity · 5 · % · numeric · false',
      'light_dark_cycle · light_duration_minutes · Light duration · 960 · min · numeric · false',
      'light_dark_cycle · dark_duration_minutes · Dark duration · 480 · min · numeric · false',
      'silent · duration · Duration between events · 30 · min · numeric · false',
    ])
  })

  test('can be sent as they are: the automation takes every field of its form', () => {
    for (const type of AUTOMATION_TYPES) {
      for (const { automation_name, fields } of lab.forms(type)) {
        const definition = jobDefinitions.find(
          ({ name, automation }) => name === `${type}_automation` && automation === automation_name,
        )
        if (definition === undefined) throw new Error(`${automation_name} is not on offer`)
        // What has no default, the user fills in.
        const options = Object.fromEntries(fields.map((field) => [field.key, field.default ?? 1]))
        expect(resolveParameters(definition, { options, args: [] }, new UnitConfig(new Map()))).toMatchObject(options)
      }
    }
  })
})
