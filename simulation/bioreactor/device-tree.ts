import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeHatEeprom, encodeHatEeprom } from '../../services/transport/hat-eeprom.codec.js'
import { deviceTreeFiles } from '../../services/transport/hat-identity.js'

/** What the identification EEPROM of a virtual HAT holds. @param hat such as `1.2` */
function burnEeprom(hat: string, seed: number): Uint8Array {
  return encodeHatEeprom({
    uuid: `00000000-0000-4000-8000-${seed.toString(16).padStart(12, '0').slice(-12)}`,
    productId: 1,
    productVersion: Number.parseInt(hat.replace('.', ''), 16),
    vendor: 'Pioreactor Inc.',
    product: 'Pioreactor HAT',
  })
}

/** Does what the boot firmware does: reads the EEPROM of the HAT and shows it as files, beside the model of the computer. */
export async function writeDeviceTree(root: string, hat: string, seed: number): Promise<void> {
  await mkdir(join(root, 'hat'), { recursive: true })
  await writeFile(join(root, 'model'), 'Benchlog virtual bench\0')
  const info = decodeHatEeprom(burnEeprom(hat, seed))
  if (info === null) return
  for (const [name, text] of Object.entries(deviceTreeFiles(info))) await writeFile(join(root, 'hat', name), text)
}
