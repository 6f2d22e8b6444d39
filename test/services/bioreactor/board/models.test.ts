import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { builtInModels } from '../../../../services/bioreactor/board/hardware-tables.js'
import { findModel, readModels } from '../../../../services/bioreactor/board/models.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

const flask = `model_name: flask_100ml
model_version: "0.1"
display_name: Flask, 100 ml
reactor_capacity_ml: 100
reactor_max_fill_volume_ml: 80
reactor_diameter_mm: 48
max_temp_to_reduce_heating: 50
max_temp_to_disable_heating: 55
max_temp_to_shutdown: 60
is_legacy: true
`

function unitWith(files: Readonly<Record<string, string>>): string {
  const dot = temporaryDirectory()
  mkdirSync(join(dot, 'models'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dot, 'models', name), text)
  return dot
}

test('a unit without files knows the built-in models', async () => {
  expect(await readModels(temporaryDirectory())).toEqual({ models: builtInModels, problems: [] })
})

test('a file adds a model, contributed and current whatever it says of that', async () => {
  const { models, problems } = await readModels(unitWith({ 'flask.yaml': flask, 'notes.txt': 'no model' }))
  expect(problems).toEqual([])
  expect(models).toHaveLength(builtInModels.length + 1)
  expect(findModel(models, 'flask_100ml', '0.1')).toMatchObject({
    reactor_capacity_ml: 100,
    is_contrib: true,
    is_legacy: false,
  })
})

test('a file replaces the built-in model of its name and version', async () => {
  const own = flask.replace('flask_100ml', 'pioreactor_20ml').replace('"0.1"', '"1.1"')
  const { models } = await readModels(unitWith({ 'own.yml': own }))
  expect(models).toHaveLength(builtInModels.length)
  expect(findModel(models, 'pioreactor_20ml', '1.1').reactor_capacity_ml).toBe(100)
})

test.each([
  ['a version that is a number', flask.replace('"0.1"', '0.1'), /model_version is 0.1/],
  ['a field that is missing', flask.replace(/reactor_diameter_mm.*\n/, ''), /reactor_diameter_mm/],
  ['a capacity of nothing', flask.replace('capacity_ml: 100', 'capacity_ml: 0'), /reactor_capacity_ml is 0/],
  ['a fill above the brim', flask.replace('volume_ml: 80', 'volume_ml: 120'), /fill_volume_ml exceeds/],
  ['limits in the wrong order', flask.replace('heating: 50', 'heating: 58'), /must rise in this order/],
  ['a list', '- 1\n', /model_name/],
  ['nothing', '', /is no mapping/],
  ['text that is not YAML', 'a: [', /flow|sequence/i],
])('%s is named and left out, and the others stay', async (_, text, problem) => {
  const { models, problems } = await readModels(unitWith({ 'bad.yaml': text, 'flask.yaml': flask }))
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatch(/models\/bad\.yaml: /)
  expect(problems[0]).toMatch(problem)
  expect(models).toHaveLength(builtInModels.length + 1)
})

test('an unknown model is refused by name and version', () => {
  expect(() => findModel(builtInModels, 'pioreactor_20ml', '9.9')).toThrow(
    "Unknown model 'pioreactor_20ml' with version '9.9'.",
  )
})
