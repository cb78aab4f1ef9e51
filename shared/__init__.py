"""What the rooms agree on: the messages, the stored state, the settings, the metrics, and the chassis they run on."""
