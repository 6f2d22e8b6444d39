import { Type } from '@sinclair/typebox'
import type { CommandDefinition } from '../core/define-command.js'
import { defineTask } from '../core/define-task.js'

const POWER = { lock: 'power-lock', rate: { bucket: 'power-actions', windowS: 15 } }

export const removeFileTask = defineTask({
  name: 'remove_file',
  payload: Type.Object({ filepath: Type.String() }),
  result: Type.Boolean(),
  doc: 'Deletes one file of the data directory; false when there is none, or a directory. The path is relative to the data directory or absolute.',
})

export const rebootTask = defineTask({
  name: 'reboot',
  payload: Type.Object({}),
  result: Type.Boolean(),
  ...POWER,
  doc: 'Makes every output safe, then starts the computer again; on a leader after 5 s.',
})

export const shutdownTask = defineTask({
  name: 'shutdown',
  payload: Type.Object({}),
  result: Type.Boolean(),
  ...POWER,
  doc: 'Makes every output safe, then switches the computer off.',
})

const ProgramReport = Type.Object({ returncode: Type.Integer(), stdout: Type.String(), stderr: Type.String() })

const Health = Type.Union((['OK', 'WARN', 'FAIL'] as const).map((status) => Type.Literal(status)))

export const repairTask = defineTask({
  name: 'repair_system',
  payload: Type.Object({}),
  result: Type.Object({
    success: Type.Boolean(),
    repair: ProgramReport,
    status: Type.Composite([
      ProgramReport,
      Type.Object({
        payload: Type.Object({
          status: Health,
          checks: Type.Array(Type.Object({ name: Type.String(), status: Health, details: Type.String() })),
        }),
      }),
    ]),
  }),
  lock: 'repair-system-lock',
  doc: 'Mends permissions and missing folders of the data directory, then tells how the unit is.',
})

export const updateTask = defineTask({
  name: 'update_system',
  payload: Type.Object({
    args: Type.Array(Type.String()),
    options: Type.Record(Type.String(), Type.Unknown()),
  }),
  result: Type.Boolean(),
  lock: 'update-lock',
  rate: { bucket: 'update-app', windowS: 10 },
  doc: 'Launches the program that updates the unit; the result tells that it began, not how it ended.',
})

export const setClockTask = defineTask({
  name: 'set_clock',
  payload: Type.Object({ utc_clock_time: Type.Union([Type.String(), Type.Null()]) }),
  result: Type.Boolean(),
  lock: 'clock-lock',
  doc: 'Sets the clock of the computer, UTC; without a time has it ask its time server.',
})

export const restartWebServerTask = defineTask({
  name: 'restart_web_server',
  payload: Type.Object({}),
  result: Type.Boolean(),
  lock: 'web-restart-lock',
  rate: { bucket: 'web-restart', windowS: 15 },
  doc: 'Makes every output safe, then has the service manager start the unit, of which the web server is a part, again.',
})

/** What is done with the computer of the unit and with the files of its data directory. */
export const machineCommands: readonly CommandDefinition[] = [
  removeFileTask,
  rebootTask,
  shutdownTask,
  repairTask,
  updateTask,
  setClockTask,
  restartWebServerTask,
]
