"""TensorBoard's event files, read without any package of theirs: checksum, frames, protobuf's wire, and what an event says."""
