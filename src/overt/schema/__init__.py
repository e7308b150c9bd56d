"""What flows through Overt: events, batches, purposes, studies, errors. Imports pyarrow only."""
