import type { Command } from './commands.js'
import { switchOff } from './switch-off.js'

export const safeStateCommand: Command = {
  run: ({ outputs, print }) => switchOff(outputs, print),
}
