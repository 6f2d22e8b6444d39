import { expect, test } from 'vitest'
import { powerOff } from '../../../services/transport/power-off.js'

test('a computer that does not shut down says why', async () => {
  await expect(powerOff(['true'])).resolves.toBeUndefined()
  await expect(powerOff(['false', 'poweroff'])).rejects.toMatchObject({ code: 'hardware.not_shut_down' })
  await expect(powerOff(['/nowhere/systemctl', 'poweroff'])).rejects.toThrow(/ENOENT/)
})
