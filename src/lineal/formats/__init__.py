"""The formats that models are kept in: told from bytes, written, read. Their packages are loaded when they are needed.
And `events`: what TensorBoard's writers leave."""
