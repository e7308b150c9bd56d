"""From a study to a trained PyTorch model: which event comes next, beside the most frequent one.

    python examples/train_pytorch.py --data-dir overt-data --study aalto

Every read goes through the door and is in the log. Who is judged on was not learned from.
"""

import argparse
from pathlib import Path

import torch
from torch import nn

from overt.datasets.tokens import VOCABULARY, sequences_of
from overt.gateway.door import Door
from overt.store.store import Store

options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
options.add_argument("--data-dir", type=Path, default=Path("overt-data"))
options.add_argument("--study", default="aalto")
options.add_argument("--epochs", type=int, default=5)
chosen = options.parse_args()

sessions = {"train": [], "validation": [], "test": []}
with Store.open(chosen.data_dir) as store:
    for person in Door(store, "example", "trainer").people(chosen.study, "next-action", "train"):
        made = sequences_of(person, shards=1)
        sessions[made.split] += [torch.tensor(s.token.astype("int64")) for s in made.sessions]
if not sessions["train"] or not sessions["test"]:
    raise SystemExit("Too few people to learn from some and judge on others: make it twenty.")
pad = {"batch_first": True, "padding_value": -1}
train, unseen = (nn.utils.rnn.pad_sequence(sessions[part], **pad) for part in ("train", "test"))

torch.manual_seed(1)
embed, gru = nn.Embedding(len(VOCABULARY), 16), nn.GRU(16, 64, batch_first=True)
head = nn.Linear(64, len(VOCABULARY))
adam = torch.optim.Adam(nn.ModuleList([embed, gru, head]).parameters(), 3e-3)
for epoch in range(chosen.epochs):
    for batch in train[torch.randperm(len(train))].split(32):
        scores = head(gru(embed(batch[:, :-1].clamp(min=0)))[0])
        loss = nn.functional.cross_entropy(scores.transpose(1, 2), batch[:, 1:], ignore_index=-1)
        adam.zero_grad(), loss.backward(), adam.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.3f}")

with torch.no_grad():
    guess = head(gru(embed(unseen[:, :-1].clamp(min=0)))[0]).argmax(-1)
there, usual = unseen[:, 1:] >= 0, train[train > 0].mode().values
model, baseline = ((g == unseen[:, 1:])[there].float().mean() for g in (guess, usual))
print(f"next event right on people not seen: GRU {model:.1%}, most frequent {baseline:.1%}")
