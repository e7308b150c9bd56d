"""From an export to a trained PyTorch model: which event comes next, beside the most frequent one.

    overt export out --format huggingface --study aalto
    python examples/train_on_export.py out

Needs nothing of Overt: Parquet files, a row an event. Who is judged on was not learned from.
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import torch
from torch import nn

options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
options.add_argument("folder", type=Path)
options.add_argument("--epochs", type=int, default=5)
chosen = options.parse_args()

names, data, length = {}, {}, 64
for split in ("train", "test"):
    table = parquet.read_table(chosen.folder / "data" / f"{split}.parquet")
    table = table.sort_by([(name, "ascending") for name in ("person", "session", "seq")])
    events = zip(table["kind"].to_pylist(), table["key_class"].to_pylist(), strict=True)
    token = torch.tensor([names.setdefault(event, len(names)) for event in events])
    pause = np.log1p(np.diff(table["t_us"].to_numpy() / 1000, prepend=0).clip(0, 60_000)) / 5
    rows = len(token) // length * length  # sequences of `length` events
    data[split] = [x[:rows].view(-1, length) for x in (token, torch.tensor(pause).float())]

torch.manual_seed(1)
embed, gru = nn.Embedding(len(names), 16), nn.GRU(17, 64, batch_first=True)
head, loss_of = nn.Linear(64, len(names)), nn.CrossEntropyLoss()
adam = torch.optim.Adam(nn.ModuleList([embed, gru, head]).parameters(), 3e-3)
for epoch in range(chosen.epochs):
    for at in torch.randperm(len(data["train"][0])).split(32):
        token, pause = (x[at, :-1] for x in data["train"])
        scores = head(gru(torch.cat([embed(token), pause[..., None]], -1))[0])
        loss = loss_of(scores.flatten(0, 1), data["train"][0][at, 1:].flatten())
        adam.zero_grad(), loss.backward(), adam.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.3f}")

token, pause = (x[:, :-1] for x in data["test"])
guess = head(gru(torch.cat([embed(token), pause[..., None]], -1))[0]).argmax(-1)
usual, came = data["train"][0].flatten().mode().values, data["test"][0][:, 1:]
model, baseline = ((g == came).float().mean() for g in (guess, usual))
print(f"next event right on people not seen: GRU {model:.1%}, most frequent {baseline:.1%}")
