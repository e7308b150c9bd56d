"""Takes batches from devices: checked, sealed and durable before they are acknowledged."""
