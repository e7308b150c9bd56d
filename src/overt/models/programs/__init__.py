"""Person or program: programs that imitate people, features of motion, and who can tell.

`trace` what a pointer did; `generators` and `learned` the programs; `sessions` a program in the
place of a person: the same errands through the same sampling; `strokes` and `features` what is
measured; `sources` people's recordings; `windows` the data set; `classifiers` who tells;
`scored` the figures of `overt evaluate person-or-program`.
"""
