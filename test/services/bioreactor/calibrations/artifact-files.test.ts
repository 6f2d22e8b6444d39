import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { createCalibrationFiles } from '../../../../services/bioreactor/calibrations/calibrations.js'
import { createEstimatorFiles } from '../../../../services/bioreactor/calibrations/estimators.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { calibrationOfVial, estimatorOfVial } from '../../../support/vial-lab.js'

let home: string
beforeEach(() => {
  home = temporaryDirectory()
})

function write(kind: string, device: string, artifact: object | null): void {
  const folder = join(home, 'storage', kind, device)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(home, 'storage', `active_${kind}.json`), JSON.stringify({ [device]: 'vial' }))
  if (artifact !== null) writeFileSync(join(folder, 'vial.yaml'), stringify(artifact))
}

describe.each([
  ['calibrations', 'od90', calibrationOfVial(), { recorded_data: { x: [1], y: [] } }, createCalibrationFiles],
  ['estimators', 'od_fused', estimatorOfVial(), { mu_splines: {} }, createEstimatorFiles],
] as const)('the active one of %s', (kind, device, artifact, wrong, createFiles) => {
  test('is read from its file, fields that nobody knows left alone', async () => {
    write(kind, device, { ...artifact, calibrated_on_pioreactor_unit: 'u1', colour: 'red' })
    expect(await createFiles(home).active(device)).toMatchObject(artifact)
    expect(await createFiles(home).active('other')).toBeNull()
  })

  test('is none in a new unit', async () => {
    expect(await createFiles(home).active(device)).toBeNull()
  })

  test.each([
    ['is missing', null],
    ['has no fields', {}],
    ['contradicts itself', { ...artifact, ...wrong }],
  ])('whose file %s is refused by name', async (_, content) => {
    write(kind, device, content)
    await expect(createFiles(home).active(device)).rejects.toThrow(`'vial' of ${device}`)
  })
})
