import { expect, onTestFinished, test } from 'vitest'
import { catalogue } from '../../../instruments.js'
import { offerHardwareCheck } from '../../../services/bioreactor/board/hardware-service.js'
import { createInProcessHardware } from '../../../simulation/in-process-hardware.js'
import { VirtualBench } from '../../../simulation/virtual-bench.js'
import { startBioreactorLab } from '../../support/bioreactor-lab.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'
import { UploadLab } from '../nas-upload/support/upload-lab.js'
import { PluggedPorts, startBox } from '../potentiostat/box.js'

test('every declared command has one service that carries it out', async () => {
  const bioreactor = await startBioreactorLab()
  onTestFinished(() => bioreactor.close())
  const box = await startBox(new PluggedPorts())
  const nas = new UploadLab(temporaryDirectory())
  await nas.start(null)
  const services = [bioreactor.service, box.service, nas.service]
  const hardware = createInProcessHardware(new VirtualBench({ clock: bioreactor.clock, seed: 1 }))
  const check = await offerHardwareCheck({ ...bioreactor.context, hardware }, {})
  const answers = [...services.flatMap(({ commands }) => commands), ...check.answers]
  const answered = answers.map(({ command }) => command.name)
  await Promise.all(services.map((service) => service.stop()))
  expect(answered.toSorted()).toEqual(catalogue.commands.map(({ name }) => name).toSorted())
})
