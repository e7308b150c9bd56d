"""The one door: enrolment, reads, training, export, retention and erasure of people's data.

Nothing outside this folder opens sealed rows for anyone. Each read names a purpose and a person,
is checked against the receipts of that moment and is logged; any error in a check means no.
"""
