"""Consent: the notice people read, the receipt they keep, the policy every read is checked against.

`notice` renders the exact bytes shown; `receipt` issues and checks; `policy` is the one table of
who may do what; `token` is what a device shows the collector; `recovery` is the code on a receipt.
"""
