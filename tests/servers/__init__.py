"""The real servers tests talk to: started by the suite, on free loopback ports, gone with it."""
