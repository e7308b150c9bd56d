"""Learning that is private by person: nobody's whole contribution shows in what comes out.

`rounds` is the learning (federated averaging with the whole update of each person clipped, and
noise); `spent` says what it cost, in ε, and never without δ and whose privacy it is; `pauses` and
`channel` are the models, small on purpose; `curve` sets ε against what the model is good for.

The unit is the person, not the example: clipping single keys or single slips would protect a key
or a slip, and nobody asks for that.
"""
