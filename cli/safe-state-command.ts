import type { Command } from './commands.js'
import { switchOff } from './switch-off.js'

export const safeStateCommand: Command = {
  run: ({ config, print }) => switchOff(config, print),
}
