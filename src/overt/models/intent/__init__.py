"""Where a pointer is going: which of two options, and where a movement ends, before it is there.

`movements` what people did, as published; `looks` how much of a movement has been seen at a moment;
`seen` the numbers of that; `profiles` movements as speeds on a clock, for templates; `endings` and
`options` the methods and baselines of either question; `scored` the figures of
`overt evaluate pointer-intent`.
"""
