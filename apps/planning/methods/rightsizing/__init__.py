"""Right-sizing: the CPU and memory a workload should ask for, at a stated risk, replayed day by day on what it used."""
