/** Orders as the contract of the box API prints them, to the letter. Source: its sections `Starting Jobs` and `Examples`. */
const params_by_mode = {
  CV: { start: 0.0, vertex1: 0.5, vertex2: -0.5, end: 0.0, scan_rate: 0.05, cycles: 3 },
  EIS: { start_freq: 1000, end_freq: 1, points_per_decade: 10, cycles_per_freq: 3, spacing: 'log' },
}

export const contractOrders = {
  onTwoSlots: {
    devices: ['slot01', 'slot02'],
    modes: ['CV', 'EIS'],
    params_by_mode,
    tia_gain: 0,
    sampling_interval: null,
    experiment_name: 'MyExperiment',
    subdir: 'GroupA',
    client_datetime: '2025-11-03T10-15-31',
    run_name: null,
    folder_name: null,
    make_plot: true,
  },
  onAllSlots: {
    devices: 'all',
    modes: ['CV', 'EIS'],
    params_by_mode,
    experiment_name: 'Demo',
    subdir: 'BatchA',
    client_datetime: '2025-11-03T10-15-31',
    make_plot: true,
  },
}
