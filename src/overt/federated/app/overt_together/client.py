"""Not run by any device of ours: each answers with the code it has."""

raise ImportError("a device answers with its own code: start it with overt.federated.node")

app = None
