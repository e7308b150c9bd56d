"""Not run by any server of ours: it runs the course it has, whatever is sent."""

raise ImportError("a server runs its own course: start it with overt together serve")

app = None
