import { Type } from '@sinclair/typebox'
import { setting } from '../../events/core/setting.js'

export const scanSettings = {
  BOX_SCAN_S: setting(Type.Number({ minimum: 0.5, maximum: 60 }), 1, 'Seconds between two looks for devices.'),
}
