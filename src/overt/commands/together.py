"""`overt together`: learn with others on people's own devices, which keep their events."""

from __future__ import annotations

import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from overt.commands.console import progress, remark, say, say_json
from overt.commands.options import DATA_DIR, AsJson, DataDir, writable
from overt.schema.errors import Missing

PORT = 9092
together_app = typer.Typer(
    help="Learn together while everybody's events stay on their device.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(together_app, name="together")


@together_app.command(
    "plan", epilog="Example: overt together plan --study pilot --epsilon 1 --people 200"
)
def plan(
    *,
    study: Annotated[str, typer.Option(help="Id of the study.")],
    epsilon: Annotated[float, typer.Option(help="Most that this course may cost a person.")],
    people: Annotated[int, typer.Option(help="People planned for, at least 50.")],
    task: Annotated[str, typer.Option(help="pause or slips.")] = "pause",
    replies: Annotated[
        int | None, typer.Option(help="Answers that a step needs; default: half the people.")
    ] = None,
    one_by_one: Annotated[
        bool, typer.Option("--one-by-one", help="No secure sums: more noise, from each device.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Where to write the course.")] = Path("plan.json"),
    as_json: AsJson = False,
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Plan a course: what it costs is written into the study's log, and added to what was before.

    Refused where all courses together would cost more than the notice states.
    """
    from overt.commands.place import opened
    from overt.federated.plan import planned
    from overt.gateway import budget
    from overt.gateway.model import work
    from overt.gateway.studies import study_of

    with opened(data_dir) as store, work(store):
        of = study_of(store, study)
        made = planned(of, task, epsilon, people, replies, secure=not one_by_one)
        total = budget.afford(store, of, made.spent())
        sha256 = made.sha256()
        part = out.with_name(f"{out.name}.part")
        part.write_text(made.to_json(), encoding="utf-8")  # first: where it fails, nothing is spent
        budget.spend(
            store, of, budget.TOGETHER, made.spent(), purpose=made.purpose, plan_sha256=sha256
        )
        part.replace(out)
    if as_json:
        say_json({"plan": sha256, "spent": made.spent().as_dict(), "in_all": total.as_dict()})
        return
    say(f"{made.spent().said}.")
    say(total.said)
    say(f"Written: {out}")


@together_app.command(
    "join", epilog="Example: overt together join --study URL --server learn.example.org:9092"
)
def join(
    *,
    study: Annotated[str, typer.Option("--study", help="Address of the study's page.")],
    server: Annotated[str, typer.Option(help="host:port of the server that learns.")],
    authority: Annotated[
        Path | None, typer.Option(help="Certificate (PEM) that vouches for the server.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port here, for Flower's own use; 0: free one.")] = 0,
    folder: Annotated[
        Path | None, typer.Option("--device-dir", help="Where the agent keeps things.")
    ] = None,
) -> None:
    """Let this computer answer, from what the agent keeps here, until Ctrl+C.

    What leaves are a few numbers with noise on them; pausing the agent pauses this too.
    """
    from overt.commands.whereabouts import device_folder, study_at
    from overt.federated import node
    from overt.federated.own import Own
    from overt.schema.purpose import TOGETHER

    base, name = study_at(study)
    place = (folder or device_folder()) / name
    own = Own(place)
    try:
        own.covers(name, TOGETHER)
        remark(f"overt: {own.events} events are kept here to learn from; none of them leaves.")
    finally:
        own.close()
    _ends_well()
    status = node.run(place, server, port or _free(), lambda: stays(place, base, name), authority)
    raise typer.Exit(status)


@together_app.command(
    "serve", epilog="Example: overt together serve --plan plan.json --out out.json"
)
def serve(
    *,
    plan: Annotated[Path, typer.Option(help="The course (JSON), as the docs describe it.")],
    out: Annotated[
        Path,
        typer.Option(help="Write weights, ε and steps here, after each step.", callback=writable),
    ],
    host: Annotated[str, typer.Option(help="Where to listen; beyond here, TLS.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port for devices.")] = PORT,
    certificates: Annotated[
        Path | None, typer.Option(help="Folder of `overt together certificates`.")
    ] = None,
    wait_s: Annotated[float, typer.Option("--wait-s", help="A step waits so long, s.")] = 120.0,
    first: Annotated[int, typer.Option(help="Begin when so many devices are there.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Run one course with the devices that come, and write what was learned."""
    import json

    from overt.federated.certificates import Secured
    from overt.federated.link import Link
    from overt.federated.plan import plan_from

    if not plan.is_file():
        raise Missing("is not there", where=str(plan))
    course = plan_from(plan.read_text("utf-8"))
    secured = None
    if certificates is not None:
        files = (certificates / f"{name}.pem" for name in ("authority", "server", "server-key"))
        secured = Secured(*files)
    found: dict[str, Any] = {}
    _ends_well()
    with (
        tempfile.TemporaryDirectory(prefix="overt-together-") as flower,
        progress("together") as update,
        Link(course, Path(flower), host, port, secured, wait_s, first) as link,
    ):
        for found in link.steps():
            done = len(found["steps"])
            update(f"step {done} of {course.steps}", done / course.steps)
            out.write_text(json.dumps(found), encoding="utf-8")
    if as_json:
        say_json({name: found[name] for name in ("plan", "spent", "steps")})
        return
    used = sum("answers" in step for step in found["steps"])
    say(f"{used} of {course.steps} steps had enough answers. {course.spent().said}.")
    say(f"Written: {out}")


@together_app.command(
    "certificates", epilog="Example: overt together certificates --host learn.example.org"
)
def certificates(
    *,
    host: Annotated[list[str], typer.Option(help="Name or address of the server; repeatable.")],
    folder: Annotated[Path, typer.Option(help="Where to write them.")] = Path("together"),
) -> None:
    """Make an authority of your own and a certificate for the server; renew the latter.

    Give authority.pem to the people who take part; the two keys stay with you.
    """
    from overt.federated.certificates import SERVER_DAYS, make

    made = make(folder, tuple(host))
    say(f"For devices (--authority): {made.authority}")
    say(f"For the server (--certificates): {folder}; good for {SERVER_DAYS} days.")


def stays(place: Path, base: str, study: str) -> bool:
    """Tell whether this device still takes part, and forget here what its person has left.

    They may have left elsewhere while no agent runs here to hear of it. Where the study's server
    cannot be asked, what the device knows counts.
    """
    from overt.device.account import Account
    from overt.device.outbox import Outbox
    from overt.device.vault import Vault
    from overt.schema.purpose import TOGETHER

    if not (place / "key").exists():
        return False
    vault = Vault(place)
    account = Account(base, study, vault)
    try:
        if account.grant is None:
            return False
        left = account.standing()
        if left == ():
            vault.destroy()
            return False
        if left is not None and not set(account.grant.purposes) <= set(left):
            account.narrow(tuple(one for one in account.grant.purposes if one in left))
            Outbox(vault).narrow(account.receipt_id, left)
        return bool(set(account.grant.purposes) & set(TOGETHER))
    finally:
        account.close()
        vault.close()


def _ends_well() -> None:
    """Let what was started end with this process, however it is asked to."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])
