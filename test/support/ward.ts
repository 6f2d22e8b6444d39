/** Starts a guardian whose command makes the file of the first argument, then waits to be killed, or does what the second says. Prints the
 * process id of each guardian. */
import { startGuardian } from '../../cli/guardian.js'
import { SHELL } from '../../cli/guardian-scripts.js'
import { silentLogger } from './silent-logger.js'

const [file = '', then, interpreter] = process.argv.slice(2)
const touch = ['/bin/sh', '-c', 'touch "$0"', file]
const guardian =
  interpreter === 'sh'
    ? startGuardian(touch, silentLogger, [
        ['no-such-interpreter', '-e', ''],
        ['/bin/sh', '-c', SHELL, 'guardian'],
      ])
    : startGuardian(touch, silentLogger)
let printed: number | undefined
setInterval(() => {
  if (guardian.pid === printed || guardian.pid === undefined) return
  printed = guardian.pid
  process.stdout.write(`${printed}\n`)
  if (then === 'dismiss') guardian.dismiss()
  // A loop that turns no more.
  if (then === 'hang') for (;;);
}, 5)
