import { CONFIG_FILES } from '../../../events/config/config.js'
import { mergeIni } from '../config/ini.js'
import { readConfigFile } from '../config/unit-config.js'

/** Name of the leader in the configuration; empty for a unit of its own. */
export async function leaderOf(dotPioreactor: string): Promise<string> {
  const files = await Promise.all(CONFIG_FILES.map((name) => readConfigFile(dotPioreactor, name)))
  return (
    mergeIni(...files.map(({ sections }) => sections))
      .get('cluster.topology')
      ?.get('leader_hostname') ?? ''
  )
}
