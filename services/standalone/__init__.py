"""Everything on one machine: embedded broker, database and stand-in judge, the rooms as children, samples."""
