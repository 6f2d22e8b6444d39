import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Bit 16 of the firmware's throttle word: the supply has been too low since the boot. */
const HAS_BEEN_LOW = 1 << 16

/** Whether the computer's own supply is, or has been, too low; null where the kernel does not say. Source: the driver `raspberrypi-hwmon`, else the
 * firmware's throttle word. */
export async function readPowerAlarm(sys = '/sys'): Promise<boolean | null> {
  const text = (...path: string[]): Promise<string | null> =>
    readFile(join(sys, ...path), 'utf8').then(
      (content) => content.trim(),
      () => null,
    )
  for (const sensor of await readdir(join(sys, 'class', 'hwmon')).catch(() => [])) {
    if ((await text('class', 'hwmon', sensor, 'name')) !== 'rpi_volt') continue
    const alarm = await text('class', 'hwmon', sensor, 'in0_lcrit_alarm')
    if (alarm !== null) return alarm === '1'
  }
  const word = await text('devices', 'platform', 'soc', 'soc:firmware', 'get_throttled')
  return word === null ? null : (Number.parseInt(word, 16) & HAS_BEEN_LOW) !== 0
}
