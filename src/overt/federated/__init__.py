"""Learning together while everybody's events stay where they are: Flower around private learning.

Who sees what:

- **the device** has the events, sealed (`own`). It answers a plan it has checked, with code of its
  own (`task`): what the server sends as an app is not run. It checks its receipt before every
  answer, answers each step once, and no more steps than the plan it first saw.
- **what leaves** is one vector a step: the person's whole update, clipped, if a coin on the device
  says so, else nothing, and in both cases noise that the device adds.
- **the server** sees with secure aggregation (Flower's SecAgg+) the sum of all devices that
  answered and nothing of one; the devices make up the noise of the sum together. Without it, the
  server sees each clipped vector, and each device puts the whole noise on its own: the model is
  worse, and ε holds towards the server too. Either way it sees which devices are there and when
  they answer.
- **whoever gets the model** sees what ε speaks of: `plan.Plan.spent`.

SecAgg+ assumes that enough devices are not the server's own: the server tells devices each other's
keys, and nothing here says which devices are real. A device takes part only if more than half of
them are needed to take a mask off. With it, ε assumes that as many devices as the plan's
`replies_min` added their noise honestly.

`plan` is the course; `own` what a device keeps; `answer` what it answers; `task` and `node` run it
under Flower; `server` is the other side; `app` is what Flower wants to be sent, and has no code.
"""
