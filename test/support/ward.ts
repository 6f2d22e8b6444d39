/** Starts a guardian whose command makes the file of the first argument, then waits to be killed, or dismisses it. Prints the process id
 * of each guardian. */
import { startGuardian } from '../../cli/guardian.js'
import { silentLogger } from './silent-logger.js'

const [file = '', then] = process.argv.slice(2)
const guardian = startGuardian(['/bin/sh', '-c', 'touch "$0"', file], silentLogger)
if (then === 'dismiss') guardian.dismiss()
let printed: number | undefined
setInterval(() => {
  if (guardian.pid === printed) return
  printed = guardian.pid
  process.stdout.write(`${printed}\n`)
}, 5)
