"""One encoder of events for several tasks, fitted to people of many sources before any task is.

`frames` what it sees of a session in the common schema, `sources` people as published, read through
the importers; `network` the encoder (causal convolutions; recurrent or attention as ablations) and
what it is fitted to tell: the next event, and spans that are hidden from it; `fitted` how; `heads`
what is learned of a task from its frozen states; `probe` whether a source can be told from them;
`scored` the figures of `overt evaluate shared-encoder`. Characters never enter it. It ships nowhere
as long as LightGBM is as good.
"""
