import { test } from 'vitest'
import { expectChemostat, expectMorbidostat, expectThermostat, expectTurbidostat } from '../support/long-cultures.js'

// Days of virtual time in one process, with every job of a unit.

test('two days of a turbidostat', () => expectTurbidostat(48), 900_000)
test('two days of a chemostat', () => expectChemostat(48), 900_000)
test('a day of a morbidostat', () => expectMorbidostat(24), 900_000)
test('a day of a thermostat', () => expectThermostat(24), 900_000)
