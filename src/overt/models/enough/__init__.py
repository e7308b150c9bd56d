"""How much is enough: utility against people, minutes of each, and detail.

So that a study can be made smaller before it starts.

`typed` a person's acts at every detail level, each beside the same targets; `tables` models that
are sums over people, so that a hundred trainings cost no more than one; `pointed` person or program
by windows of pointer movement; `grid` who is drawn, how often, and what comes of it; `law` how it
grows; `advice` the sentence.
"""
