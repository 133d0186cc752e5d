"""The SDK: what lives in the training process. Never blocks it, never kills it, stays light."""
