"""What the networks of several tasks share: where they are computed, how they are fitted.

`device` says which processor computes, in one place; `memory` is a recurrent layer that is quick on
either; `fitting` goes over the data with early stop, and can be broken off and taken up again. The
models that people can leave do not use it: `overt.models.shard` fits those on the processor, on
one thread, bit for bit the same.
"""
