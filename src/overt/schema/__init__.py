"""What flows through Overt: events, batches, purposes, studies, errors.

Imports nothing of Overt, and only pyarrow and numpy; numba when a batch is checked.
"""
