"""Sent by Flower; see `overt.federated`."""
