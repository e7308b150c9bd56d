"""Whether a passage is read, and which entry of an interface is wanted next.

For pages that can set themselves right: a passage nobody reads is in the wrong place, an entry that
is wanted can be nearer. Nothing here says how anyone feels, and nothing says how well they work;
figures are over people, and none of it serves to keep anyone on a page or to sell to them.

`readings` people who were shown a passage, and what their scrolling says; `told` who can tell from
it whether they read it; `choices` what was on the page and what was taken; `menus` what would have
come up first, and the time that saves; `scored` the figures of `overt evaluate engagement`.
"""
