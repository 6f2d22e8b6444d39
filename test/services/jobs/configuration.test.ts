import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { stopJobsCommand } from '../../../events/system/commands.js'
import { type BioreactorLab, startBioreactorLab } from '../../support/bioreactor-lab.js'
import { give } from '../../support/give.js'

let lab: BioreactorLab
afterEach(() => lab.close())

describe('the configuration', () => {
  const edit = (file: string, text: string): void => writeFileSync(join(lab.context.dotPioreactor, file), text)

  test('is read at every start: a change reaches the next one and leaves the job that runs alone', async () => {
    lab = await startBioreactorLab()
    edit('config.ini', '[stirring.config]\ninitial_target_rpm=300\n')
    await lab.run('stirring')
    edit('unit_config.ini', '[stirring.config]\ninitial_target_rpm=450\n')
    expect(lab.published('stirring/target_rpm')).toEqual(['300'])
    await give(lab.service, stopJobsCommand, { job_name: 'stirring' }, 'stop')
    await lab.run('stirring')
    expect(lab.published('stirring/target_rpm')).toContain('450')
  })

  test('that is broken by hand refuses jobs by file and line; what tells that the unit is there starts all the same', async () => {
    lab = await startBioreactorLab()
    edit('unit_config.ini', '[stirring.config]\n[oops\n')
    expect(await lab.run('stirring')).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('unit_config.ini: Line 2'), details: { code: 'config.malformed' } },
    })
    expect(await lab.run('monitor')).toMatchObject({ status: 'succeeded' })
    edit('unit_config.ini', '')
    expect(await lab.run('stirring')).toMatchObject({ status: 'succeeded' })
  })
})
