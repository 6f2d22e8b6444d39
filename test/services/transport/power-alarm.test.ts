import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { readPowerAlarm } from '../../../services/transport/power-alarm.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'

const THROTTLED = 'devices/platform/soc/soc:firmware/get_throttled'

test.each<[string, Readonly<Record<string, string>>, boolean | null]>([
  ['says nothing', { 'class/hwmon/hwmon0/name': 'cpu_thermal\n' }, null],
  [
    'reports a low supply',
    { 'class/hwmon/hwmon1/name': 'rpi_volt\n', 'class/hwmon/hwmon1/in0_lcrit_alarm': '1\n' },
    true,
  ],
  [
    'reports a good one',
    { 'class/hwmon/hwmon1/name': 'rpi_volt\n', 'class/hwmon/hwmon1/in0_lcrit_alarm': '0\n' },
    false,
  ],
  ['has throttled for it', { [THROTTLED]: '50000\n' }, true],
  ['has never throttled', { [THROTTLED]: '0\n' }, false],
])('a kernel that %s', async (_, files, alarm) => {
  const sys = temporaryDirectory()
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(sys, path)), { recursive: true })
    writeFileSync(join(sys, path), text)
  }
  expect(await readPowerAlarm(sys)).toBe(alarm)
})
