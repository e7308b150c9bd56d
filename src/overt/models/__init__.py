"""Models that learn from event sequences: the encoder, its baselines, training, figures, cards.

Training is sharded by person and exact: a shard's weights are a pure function of the people in
it, in the order of their tags, and of the configuration. So leaving one person out of one shard
and training it again gives, bit for bit, the model that never met them.
"""
