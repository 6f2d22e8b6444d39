import { CALIBRATION } from '../../../events/bioreactor/artifacts.js'
import type { Logger } from '../../../events/ports.js'
import { decodeArtifact } from './artifact.codec.js'
import { convertLegacy } from './legacy.codec.js'
import type { StoredFiles } from './stored-files.js'

/** The device of calibrations of optical density before there was one for each angle. */
const OLD_DEVICE = 'od'

/** Brings files of an older Pioreactor into the form and the place of today, and what is in use with them. The file as it was stays beside the
 * new one, as `<name>.yaml.old`. One that cannot be converted stays as it is. */
export async function convertLegacyFiles(stored: StoredFiles, logger: Logger): Promise<void> {
  const { files, pointers } = stored
  for (const { device, name } of await stored.names()) {
    try {
      const found = await files.read(device, name)
      if (found === null || 'problem' in found) continue
      const converted = convertLegacy(found.text)
      const text = converted ?? found.text
      if (converted === null && device !== OLD_DEVICE) continue
      const { angle } = decodeArtifact(CALIBRATION, text)
      const home = device === OLD_DEVICE && typeof angle === 'string' ? `${OLD_DEVICE}${angle}` : device
      if (home === device && converted === null) continue
      if (home !== device && (await files.read(home, name)) !== null) continue
      await files.keepOld(device, name)
      await files.write(home, name, text)
      if (home !== device) {
        const inUse = pointers.all()
        if (inUse.get(device) === name) {
          if (!inUse.has(home)) pointers.set(home, name)
          pointers.set(device, null)
        }
        await files.remove(device, name)
      }
      logger.warn({ device, name, home }, 'a calibration file of an older version was converted')
    } catch (error) {
      logger.error({ device, name, err: error }, 'a calibration file of an older version cannot be converted')
    }
  }
}
