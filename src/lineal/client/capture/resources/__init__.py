"""What the run used: CPU, memory, disk, network and GPUs, as series below system/ and as totals."""
