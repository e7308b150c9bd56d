"""Person or program: programs that imitate people, features of motion, and who can tell.

`trace` what a pointer did; `generators` and `learned` the programs; `sessions` a program in the
place of a person: the same errands through the same sampling; `strokes` and `features` what
a page measures, `grain` and `pixels` what it does not; `sources` people's recordings; `windows` the
data set; `classifiers` who tells.
At the keyboard: `typed` what was typed; `typists` the programs; `rhythm` what is measured;
`habits` and `order` what is learned from people alone, over windows laid end to end (`strip`), the
latter beside programs that are `drawn` at random; `shown` what of it is shown; `writers` people;
`keyboard` the data set.
`rounds` learns from and asks about either; `scored` the figures of `overt evaluate
person-or-program`.
"""
