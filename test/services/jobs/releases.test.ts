import { expect, test } from 'vitest'
import { Releases } from '../../../services/jobs/releases.js'

test('what makes a job safe runs newest first, each whatever becomes of the others, and what comes meanwhile too', async () => {
  const failures: unknown[] = []
  const releases = new Releases((error) => failures.push(error))
  const ran: string[] = []
  releases.add(() => void ran.push('motor'))
  releases.add(async () => {
    ran.push('pump')
    releases.add(() => void ran.push('late'))
    throw new Error('the pump does not follow')
  })
  releases.add(() => {
    ran.push('heater')
    throw new Error('the heater does not follow')
  })
  releases.addLast(() => void ran.push('connection'))
  await releases.run()
  expect(ran).toEqual(['heater', 'pump', 'late', 'motor', 'connection'])
  expect(failures).toHaveLength(2)
  await releases.run()
  expect(ran).toHaveLength(5)
})
