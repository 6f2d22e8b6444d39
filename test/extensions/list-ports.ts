import { Type } from '@sinclair/typebox'
import { defineCommand } from '../../events/core/define-command.js'

export const listPortsCommand = defineCommand({
  name: 'list_ports',
  payload: Type.Object({ pattern: Type.String({ default: '' }) }),
  result: Type.Object({ ports: Type.Array(Type.String()) }),
  doc: 'Lists the serial ports of potentiostats whose path contains the pattern.',
})
