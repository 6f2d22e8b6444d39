import { readFile } from 'node:fs/promises'
import { benchPaths } from '../../simulation/bench-directory.js'
import type { BenchOutputs } from '../../simulation/virtual-bench.js'

/** What a simulated bench drives at this moment. */
export async function readOutputs(directory: string): Promise<BenchOutputs> {
  return JSON.parse(await readFile(benchPaths(directory).outputs, 'utf8')) as BenchOutputs
}
