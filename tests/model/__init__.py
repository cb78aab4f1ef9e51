"""A model of the protocol: the real code against a broker, a database and a judge in memory, one effect at a time."""
