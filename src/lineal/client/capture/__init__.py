"""What an attempt records by itself of its circumstances, part by part. Never raises into training, never holds it up."""
