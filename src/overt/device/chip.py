"""The sign that recording is on: a small window that stays on top, in a process of its own.

`python -m overt.device.chip` speaks with the agent by lines: it is told what to show, says `beat`
five times a second, and `toggle` when clicked. If it dies, is hidden or covered, the agent stops
within a second; if the agent dies, the chip closes itself.
"""

from __future__ import annotations

import sys
import threading
from queue import Empty, SimpleQueue

from overt.device.signs import ELSEWHERE, MARKS, look_of, said, say, words_of

BEAT_MS = 200
COLOURS = {
    "recording": ("#b3261e", "#ffffff"),
    ELSEWHERE: ("#ffffff", "#b3261e"),
    "paused": ("#3c4043", "#ffffff"),
}


def main() -> None:
    """Show the chip until standard input ends."""
    import tkinter as tk

    words = words_of(sys.argv[1:])
    told: SimpleQueue[str] = SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            told.put(line.strip())
        told.put("bye")

    root = tk.Tk()
    root.title("Overt")
    root.overrideredirect(True)  # noqa: FBT003 - no frame, and no window manager to cover it
    root.attributes("-topmost", True)  # noqa: FBT003
    root.configure(highlightthickness=2, highlightbackground=COLOURS["recording"][0])
    label = tk.Label(root, font=("sans-serif", 11, "bold"), padx=12, pady=6, cursor="hand2")
    label.pack()
    small = tk.Label(root, font=("sans-serif", 8), padx=12, text=words["hint"])
    small.pack(fill="x")
    for part in (label, small):
        part.bind("<Button-1>", lambda _: say("toggle"))

    def show(state: str) -> None:
        back, front = COLOURS[look_of(state)]
        label.configure(text=f"{MARKS[look_of(state)]} {said(state, words)}")
        for part in (root, label, small):
            part.configure(background=back)
        for text in (label, small):
            text.configure(foreground=front)
        root.update_idletasks()
        wide = root.winfo_reqwidth()
        root.geometry(f"+{root.winfo_screenwidth() - wide - 16}+16")

    def beat() -> None:
        while True:
            try:
                line = told.get_nowait()
            except Empty:
                break
            if line == "bye":
                root.destroy()
                return
            show(line)
        if root.winfo_viewable():
            say("beat")
        root.after(BEAT_MS, beat)

    root.bind(
        "<Visibility>", lambda event: root.lift() if "Unobscured" not in str(event.state) else None
    )
    threading.Thread(target=listen, daemon=True).start()
    show("paused")
    beat()
    root.mainloop()


if __name__ == "__main__":
    from tkinter import TclError

    try:
        main()
    except TclError:  # the display has gone; the agent says so
        sys.exit(1)
