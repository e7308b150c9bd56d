"""The server's side, from the server's own installation."""

from overt.federated.server import app as made

app = made()
