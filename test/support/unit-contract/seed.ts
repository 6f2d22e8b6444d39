import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { putFile } from '../calibration-files.js'
import { contract } from './contract.js'

/** What a unit finds when it starts: the configuration a leader wrote, taken from the contract's example, two estimators and a plugin.
 * @param leader its host name, which is the unit's own where it stands alone */
export function seedUnit(home: string, leader: string): void {
  const dot = join(home, '.pioreactor')
  mkdirSync(join(dot, 'plugins'), { recursive: true })
  writeFileSync(join(dot, 'config.ini'), configOf(leader))
  writeFileSync(join(dot, 'plugins', 'example_plugin.py'), "__plugin_version__ = '0.2.0'\n")
  writeFileSync(join(dot, 'plugins', 'unwanted.py'), '')
  for (const name of ['fusion', 'doomed']) {
    putFile(dot, `estimators/od_fused/${name}.yaml`, JSON.stringify(estimator(name)).replace(/"(2026[^"]*)"/, '$1'))
  }
}

const ANGLES = ['45', '90', '135']
const byAngle = <T>(value: T): Readonly<Record<string, T>> => Object.fromEntries(ANGLES.map((angle) => [angle, value]))

/** JSON is YAML too; but a time stands there without quotes. */
const estimator = (name: string) => ({
  estimator_type: 'od_fused_estimator',
  estimator_name: name,
  calibrated_on_pioreactor_unit: 'lab',
  created_at: '2026-03-04T05:06:07Z',
  ir_led_intensity: 80,
  angles: ANGLES,
  mu_splines: byAngle({ type: 'akima', knots: [-2, 0], coefficients: [[-1.8, 0.25, 0, 0]] }),
  sigma_splines_log: byAngle({ type: 'akima', knots: [-2, 0], coefficients: [[-3, 0, 0, 0]] }),
  min_logc: -2,
  max_logc: 0,
  sigma_floor: 0.04,
  recorded_data: { by_angle: byAngle({ x: [1], y: [2] }) },
  y: 'log(Voltage)',
})

/** The example names a broker on its own computer, where none answers here, and files of the computer it was taken on, which are left out. */
function configOf(leader: string): string {
  const example = contract.find(({ path }) => path === '/unit_api/config/merged')?.response_example
  const sections = {
    ...(example as Readonly<Record<string, Readonly<Record<string, string>>>>),
    'cluster.topology': { leader_hostname: leader, leader_address: '127.0.0.1' },
  }
  return Object.entries(sections)
    .map(([section, options]) => {
      const lines = Object.entries(options)
        .filter(([, value]) => !value.startsWith('/Users/'))
        .map(([option, value]) => `${option}=${option === 'broker_port' ? '1' : value}`)
      return `[${section}]\n${lines.join('\n')}\n`
    })
    .join('\n')
}
