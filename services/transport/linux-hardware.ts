import type { Hardware } from './hardware.js'
import { readBoardIdentity } from './hat-identity.js'
import { createLibgpiod } from './libgpiod.js'
import { openLinuxI2c } from './linux-i2c.js'
import { readPowerAlarm } from './power-alarm.js'
import { powerOff } from './power-off.js'
import { serialPorts } from './serial-port.js'
import { createSysfsPwm } from './sysfs-pwm.js'

/** The hardware of a Raspberry Pi with the Pioreactor image. What is missing is reported by the code that needs it. */
export async function openLinuxHardware(): Promise<Hardware> {
  const i2c = openLinuxI2c()
  return {
    i2c,
    pwm: createSysfsPwm(),
    gpio: createLibgpiod(),
    serial: serialPorts,
    powerOff: () => powerOff(['systemctl', 'poweroff']),
    ...(await readBoardIdentity()),
    underVoltage: () => readPowerAlarm(),
    close: () => i2c.close(),
  }
}
