/** A process that replaces a directory and kills itself at a step. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stageReplacement } from '../../services/unit-admin/archive/replace-directory.js'

const [root = '', fatal = ''] = process.argv.slice(2)
const step = (name: string): void => {
  if (name === fatal) process.kill(process.pid, 'SIGKILL')
}
const replace = await stageReplacement(
  root,
  async (staging) => {
    for (const name of ['config.ini', 'second']) {
      writeFileSync(join(staging, name), `new ${name}`)
      step(`filled ${name}`)
    }
  },
  step,
)
await replace()
step('all')
