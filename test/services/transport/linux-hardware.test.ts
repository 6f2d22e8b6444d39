import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openLinuxHardware } from '../../../services/transport/linux-hardware.js'

test.skipIf(existsSync('/dev/i2c-1'))('a machine without an I2C bus can use the rest of its hardware', async () => {
  const hardware = await openLinuxHardware()
  await expect(hardware.i2c.write(0x2c, Uint8Array.of(0, 0))).rejects.toMatchObject({ code: 'hardware.no_i2c' })
  await expect(hardware.i2c.isPresent(0x2c)).resolves.toBe(false)
  await expect(hardware.pwm.allOff()).resolves.toBeUndefined()
  await hardware.close()
})
