import { killSuite } from '../support/kill-suite.js'

killSuite(200)
